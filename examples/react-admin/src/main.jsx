import { Button, CardActions } from "@mui/material";
import { createRoot } from "react-dom/client";
import { Admin, Login, Resource, useLogin } from "react-admin";
import { BrowserRouter, useLocation } from "react-router-dom";

import { authProvider } from "./authProvider";
import { dataProvider } from "./dataProvider";
import { CustomerList, CustomerShow, LeadList } from "./pages";

function SignInPage() {
  const login = useLogin();
  // react-admin leaves here where the person was when the session ended.
  const { nextPathname = "/", nextSearch = "" } = useLocation().state ?? {};
  return (
    <Login>
      <CardActions>
        <Button variant="contained" fullWidth onClick={() => login({ next: nextPathname + nextSearch })}>
          Sign in
        </Button>
      </CardActions>
    </Login>
  );
}

// The sign-in comes back to /auth-callback with its answer in the query: a hash router would not see it.
createRoot(document.getElementById("root")).render(
  <BrowserRouter>
    <Admin {...{ authProvider, dataProvider }} loginPage={SignInPage} requireAuth disableTelemetry>
      {(permissions) => [
        permissions.includes("customers:read") && (
          <Resource key="customers" name="customers" list={CustomerList} show={CustomerShow} />
        ),
        permissions.includes("leads:read") && <Resource key="leads" name="leads" list={LeadList} />,
      ]}
    </Admin>
  </BrowserRouter>,
);
