import DownloadIcon from "@mui/icons-material/GetApp";
import { useState } from "react";
import { Button, useDataProvider, useListContext, useNotify, usePermissions } from "react-admin";

/** Export the rows that the list shows, all pages of them, as CSV. */
export function ExportButton({ permission }) {
  const { resource, filterValues } = useListContext();
  const { permissions } = usePermissions();
  const [label, setLabel] = useState("Export");
  const [dataProvider, notify] = [useDataProvider(), useNotify()];
  if (!permissions?.includes(permission)) return null;

  const run = async () => {
    try {
      const file = await dataProvider.exportList(resource, filterValues, "csv", ({ status }) => setLabel(status));
      const link = document.createElement("a");
      link.href = URL.createObjectURL(file);
      link.download = `${resource}.csv`;
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (error) {
      notify(error.message, { type: "error" });
    } finally {
      setLabel("Export");
    }
  };
  return (
    <Button label={label} disabled={label !== "Export"} onClick={run}>
      <DownloadIcon />
    </Button>
  );
}
