# Whether there is an environment for apps, for both stages.
locals {
  has_container_apps = coalesce(var.container_apps.enabled, anytrue([for server in var.mcp_servers : server.compute == "container-apps"]))

  _container_apps           = local.has_container_apps ? { this = var.container_apps } : {}
  _container_apps_providers = local.has_container_apps ? ["Microsoft.App"] : []
}
