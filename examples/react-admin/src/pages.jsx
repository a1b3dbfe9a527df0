// The two lists, and one customer. A column's `source` is what `sort` takes.

import { ChipField, Datagrid, DateField, FilterButton, List, SearchInput } from "react-admin";
import { SelectInput, Show, SimpleShowLayout, TextField, TopToolbar } from "react-admin";

import { AccessSwitch } from "./AccessSwitch";
import { ExportButton } from "./ExportButton";

const choicesOf = (...names) => names.map((id) => ({ id, name: id }));
const search = <SearchInput key="q" source="q" alwaysOn />;
const customerFilters = [
  search,
  <SelectInput key="access" source="access" choices={choicesOf("active", "suspended")} alwaysOn />,
  <SelectInput key="ecosystem" source="ecosystem" choices={choicesOf("deployed", "none")} />,
];

function Table({ filters, permission, children, ...options }) {
  const actions = (
    <TopToolbar>
      {filters.length > 1 && <FilterButton />}
      <ExportButton permission={permission} />
    </TopToolbar>
  );
  return (
    <List actions={actions} filters={filters} sort={{ field: "registered_at", order: "DESC" }} exporter={false}>
      <Datagrid bulkActionButtons={false} {...options}>
        <TextField source="first_name" />
        <TextField source="last_name" sortable={false} />
        <TextField source="company_email" sortable={false} />
        <TextField source="company_name" />
        {children}
        <DateField source="registered_at" />
      </Datagrid>
    </List>
  );
}

export const LeadList = () => <Table filters={[search]} permission="exports:leads" rowClick={false} />;

export const CustomerList = () => (
  <Table filters={customerFilters} permission="exports:customers" rowClick="show">
    <TextField source="subscription.plan" sortable={false} />
    <DateField source="subscription.ends_on" options={{ timeZone: "UTC" }} />
    <ChipField source="access" sortable={false} />
  </Table>
);

export const CustomerShow = () => (
  <Show>
    <SimpleShowLayout>
      {["first_name", "last_name", "company_name", "ecosystem.name", "access_change.by"].map((source) => (
        <TextField key={source} source={source} />
      ))}
      <ChipField source="access" />
      <AccessSwitch />
    </SimpleShowLayout>
  </Show>
);
