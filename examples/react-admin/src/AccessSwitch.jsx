import { Button, Stack, TextField } from "@mui/material";
import { useState } from "react";
import { useNotify, usePermissions, useRecordContext, useRefresh, useUpdate } from "react-admin";

/** Suspend or activate the ecosystem of the customer on the screen, at the version on the screen. */
export function AccessSwitch() {
  const customer = useRecordContext();
  const { permissions } = usePermissions();
  const [update, { isPending }] = useUpdate();
  const [reason, setReason] = useState("");
  const [notify, refresh] = [useNotify(), useRefresh()];
  if (!permissions?.includes("access:change") || !customer?.ecosystem) return null;
  const isActive = customer.access === "active";

  const onError = ({ status, message, body }) => {
    if (status !== 412) return notify(message, { type: "error" });
    notify(`Changed by another person: it is ${body.current.access} now.`, { type: "warning" });
    refresh();
  };
  const change = () => {
    const data = { access: isActive ? "suspended" : "active", reason };
    const onSuccess = () => setReason("");
    update("customers", { id: customer.id, data, previousData: customer }, { onSuccess, onError });
  };
  return (
    <Stack direction="row" spacing={2}>
      <TextField label="Reason" value={reason} onChange={(event) => setReason(event.target.value)} />
      <Button variant="contained" disabled={isPending || (isActive && reason.length < 3)} onClick={change}>
        {isActive ? "Suspend" : "Activate"}
      </Button>
    </Stack>
  );
}
