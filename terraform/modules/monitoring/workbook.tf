locals {
  # What servers print: in container groups, and in apps too where there are some.
  _log_of_both = "union isfuzzy=true (ContainerInstanceLog | project TimeGenerated, Message, ContainerGroup), (ContainerAppConsoleLogs | project TimeGenerated, Message = Log, ContainerGroup = strcat(ContainerAppName, \"-a\"))"
  _server_log  = anytrue([for target in keys(var.targets) : startswith(target, "app/")]) ? local._log_of_both : "ContainerInstanceLog"

  _workbook_queries = {
    for file in fileset("${path.module}/workbook", "*.kql") :
    trimsuffix(file, ".kql") => replace(trimspace(templatefile("${path.module}/workbook/${file}", local._objective_texts)), "ContainerInstanceLog", local._server_log)
  }
}

resource "azurerm_application_insights_workbook" "mcp" {
  # Azure wants a GUID; this one is the same on every machine.
  name                = uuidv5("url", "https://${var.resource_group_name}/${var.name}/workbooks/mcp")
  resource_group_name = var.resource_group_name
  location            = var.location
  display_name        = "MCP servers (${var.name})"
  description         = "Calls by tool, caller and tier; latency, refusals, throttling and the health of the slots."
  # Compared without case by Azure, and returned in lower case.
  source_id = lower(azurerm_log_analytics_workspace.this.id)
  tags      = var.tags

  # Decoded and encoded again: a comma too many fails here, and not as an empty page in the portal.
  data_json = jsonencode(jsondecode(templatefile("${path.module}/workbook.json.tftpl", {
    queries      = local._workbook_queries
    workspace_id = azurerm_log_analytics_workspace.this.id
  })))
}
