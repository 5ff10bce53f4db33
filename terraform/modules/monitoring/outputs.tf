output "workspace" {
  description = "The Log Analytics workspace: its resource id, and its customer id (a GUID), by which it is queried."
  value = {
    id           = azurerm_log_analytics_workspace.this.id
    workspace_id = azurerm_log_analytics_workspace.this.workspace_id
  }
}

output "application_insights_id" {
  description = "Resource id of Application Insights."
  value       = azurerm_application_insights.this.id
}

output "application_insights_connection_string" {
  description = "Connection string of Application Insights, which holds its key."
  value       = azurerm_application_insights.this.connection_string
  sensitive   = true
}

output "workbook_id" {
  description = "Resource id of the workbook for MCP."
  value       = azurerm_application_insights_workbook.mcp.id
}
