locals {
  application_insights = {
    id                = module.monitoring.application_insights_id
    connection_string = module.monitoring.application_insights_connection_string
  }

  log_analytics_workspace_id = module.monitoring.workspace.id

  # A landing zone's network reports to whom its keepers say.
  _network_here = local._create_network ? { this = {} } : {}

  # Stage 1's resources report here too: the workspace is younger than they are. Categories: "Supported Resource log
  # categories for Azure Monitor". Each key begins with the kind of thing that it is about.
  _network_diagnostics = merge(
    {
      for key, network in data.azurerm_virtual_network.stage1 : "network" => {
        resource_id    = network.id
        log_categories = ["VMProtectionAlerts"]
      }
    },
    {
      for subnet, group in data.azurerm_network_security_group.stage1 : "security-group/${subnet}" => {
        resource_id       = group.id
        log_categories    = ["NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter"]
        metric_categories = []
      }
    },
    {
      for key, address in data.azurerm_public_ip.nat : "public-address/nat" => {
        resource_id    = address.id
        log_categories = local._address_categories
      }
    },
    {
      # A v2 gateway's public address is Azure's own.
      for key in var.gateway_exposure == "public" && local.gateway_generation == "classic" ? ["gateway"] : [] : "public-address/${key}" => {
        resource_id    = module.apim.public_ip_id
        log_categories = local._address_categories
      }
    },
  )

  _database_diagnostics = merge(
    {
      for key, database in module.database : "database" => {
        resource_id       = database.id
        log_categories    = ["MongoRequests", "ControlPlaneRequests"]
        metric_categories = ["Requests"]
        dedicated_tables  = true
      }
    },
    {
      for key, database in module.documentdb : "documentdb" => {
        resource_id = database.id
        # "Monitor diagnostic logs with Azure Monitor" (DocumentDB): M30 and the tiers below it write none.
        log_categories   = contains(["M10", "M20", "M25", "M30"], var.documentdb.compute_tier) ? [] : ["vCoreMongoRequests"]
        dedicated_tables = true
      }
    },
  )

  _apps_diagnostics = {
    for key, environment in data.azurerm_container_app_environment.stage1 : "apps" => {
      resource_id    = environment.id
      log_categories = ["ContainerAppConsoleLogs", "ContainerAppSystemLogs"]
    }
  }

  _address_categories = ["DDoSMitigationFlowLogs", "DDoSMitigationReports", "DDoSProtectionNotifications"]
}

data "azurerm_virtual_network" "stage1" {
  for_each = local._network_here

  name                = module.names.network.virtual_network
  resource_group_name = var.resource_group_name
}

data "azurerm_network_security_group" "stage1" {
  for_each = data.azurerm_subnet.stage1

  name                = module.names.network.subnets[each.key].security_group
  resource_group_name = var.resource_group_name
}

data "azurerm_public_ip" "nat" {
  for_each = local._network_here

  name                = module.names.network.nat_address
  resource_group_name = var.resource_group_name
}

module "monitoring" {
  source = "../modules/monitoring"

  name                = var.name
  environment         = var.environment
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = module.names.tags
  retention_in_days   = var.monitoring.retention_in_days
  daily_quota_gb      = var.monitoring.daily_quota_gb
  sampling_percentage = var.monitoring.sampling_percentage

  alerts = merge(var.monitoring.alerts, {
    emails = coalescelist(tolist(var.monitoring.alerts.emails), [var.apim.publisher_email])
  })

  objectives = { for name, server in var.mcp_servers : "mcp-${name}" => server.objectives }

  targets = merge(
    {
      gateway        = module.apim.id
      resource-group = "/subscriptions/${var.subscription_id}/resourceGroups/${var.resource_group_name}"
    },
    { for key, database in module.database : "database" => database.id },
    { for key, database in module.documentdb : "documentdb" => database.id },
    { for name, app in module.apps : "app/${name}" => app.id },
  )

  diagnostics = merge(local._network_diagnostics, local._database_diagnostics, local._apps_diagnostics, {
    gateway = {
      resource_id      = module.apim.id
      log_categories   = ["GatewayLogs"]
      dedicated_tables = true
    }
    key-vault = {
      resource_id         = data.azurerm_key_vault.stage1.id
      log_category_groups = ["audit"]
    }
    registry = {
      resource_id         = data.azurerm_container_registry.stage1.id
      log_category_groups = ["allLogs"]
    }
  })
}
