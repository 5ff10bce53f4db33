variable "image" {
  type    = string
  default = "mcp:1"
}

variable "owner" {
  type    = string
  default = "platform"
}

variable "secret" {
  type    = string
  default = "s3cret-0"
}

data "azurerm_client_config" "this" {}

resource "azurerm_resource_group" "this" {
  name     = "rg-test"
  location = "West Europe"
  tags     = { owner = var.owner }
}

resource "azurerm_virtual_network" "this" {
  name                = "vnet-test"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  address_space       = ["10.0.0.0/16"]
}

resource "azurerm_subnet" "containers" {
  name                 = "snet-containers"
  resource_group_name  = azurerm_resource_group.this.name
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = ["10.0.1.0/24"]

  delegation {
    name = "containers"

    service_delegation {
      name    = "Microsoft.ContainerInstance/containerGroups"
      actions = ["Microsoft.Network/virtualNetworks/subnets/action"]
    }
  }
}

resource "azurerm_network_security_group" "containers" {
  name                = "nsg-containers"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
}

resource "azurerm_network_security_rule" "gateway" {
  name                        = "gateway"
  resource_group_name         = azurerm_resource_group.this.name
  network_security_group_name = azurerm_network_security_group.containers.name
  priority                    = 100
  direction                   = "Inbound"
  access                      = "Allow"
  protocol                    = "Tcp"
  source_port_range           = "*"
  destination_port_range      = "8000"
  source_address_prefix       = "10.0.0.0/24"
  destination_address_prefix  = "*"
}

resource "azurerm_subnet_network_security_group_association" "containers" {
  subnet_id                 = azurerm_subnet.containers.id
  network_security_group_id = azurerm_network_security_group.containers.id
}

resource "azurerm_user_assigned_identity" "gateway" {
  name                = "id-gateway"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
}

resource "azurerm_container_registry" "this" {
  name                = "acrtest0"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  sku                 = "Premium"
}

resource "azurerm_role_assignment" "pull" {
  scope                = azurerm_container_registry.this.id
  role_definition_name = "AcrPull"
  principal_id         = azurerm_user_assigned_identity.gateway.principal_id
}

resource "azurerm_key_vault" "this" {
  name                       = "kv-test-0"
  resource_group_name        = azurerm_resource_group.this.name
  location                   = azurerm_resource_group.this.location
  tenant_id                  = data.azurerm_client_config.this.tenant_id
  sku_name                   = "standard"
  rbac_authorization_enabled = true
}

resource "azurerm_key_vault_secret" "connection" {
  name         = "connection"
  key_vault_id = azurerm_key_vault.this.id
  value        = var.secret
}

resource "azurerm_container_group" "tier" {
  for_each = toset(["admin", "reader"])

  name                = "aci-${each.key}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  os_type             = "Linux"
  ip_address_type     = "Private"
  subnet_ids          = [azurerm_subnet.containers.id]

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.gateway.id]
  }

  container {
    name                         = "server"
    image                        = "${azurerm_container_registry.this.login_server}/${var.image}"
    cpu                          = 0.1
    memory                       = 1
    environment_variables        = { MCP_TIER = each.key }
    secure_environment_variables = { MONGODB_URI = var.secret }

    ports {
      port = 8000
    }
  }

  depends_on = [azurerm_role_assignment.pull]
}

resource "azurerm_private_dns_zone" "this" {
  name                = "mcp.internal"
  resource_group_name = azurerm_resource_group.this.name
}

resource "azurerm_private_dns_a_record" "tier" {
  for_each = azurerm_container_group.tier

  name                = each.key
  private_dns_zone_id = azurerm_private_dns_zone.this.id
  ttl                 = 30
  records             = [each.value.ip_address]
}

resource "azurerm_cosmosdb_account" "this" {
  name                = "cosmos-test"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  offer_type          = "Standard"
  kind                = "MongoDB"

  capabilities {
    name = "EnableMongo"
  }

  consistency_policy {
    consistency_level = "Session"
  }

  geo_location {
    location          = "westeurope"
    failover_priority = 0
  }
}

resource "azurerm_api_management" "this" {
  name                = "apim-test"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  publisher_name      = "Platform"
  publisher_email     = "platform@twin.example"
  sku_name            = "Developer_1"

  protocols {
    http2_enabled = true
  }

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.gateway.id]
  }
}

resource "azurerm_api_management_backend" "tier" {
  for_each = azurerm_container_group.tier

  name                = each.key
  resource_group_name = azurerm_resource_group.this.name
  api_management_name = azurerm_api_management.this.name
  protocol            = "http"
  url                 = "http://${each.key}.mcp.internal:8000"
}

resource "azuread_application" "api" {
  display_name = "api"

  api {
    requested_access_token_version = 2

    oauth2_permission_scope {
      id                         = "5d2a3b18-54c5-4a0e-8b0a-6f3d6c0a0002"
      value                      = "Mcp.Access"
      admin_consent_description  = "Use the servers"
      admin_consent_display_name = "Use the servers"
    }
  }

  app_role {
    id                   = "5d2a3b18-54c5-4a0e-8b0a-6f3d6c0a0001"
    value                = "Mcp.Read"
    display_name         = "Readers"
    description          = "Reads"
    allowed_member_types = ["User", "Application"]
  }
}

resource "azuread_service_principal" "api" {
  client_id = azuread_application.api.client_id
}

resource "azuread_group" "twins" {
  count = 2

  display_name     = "Readers"
  security_enabled = true
}

resource "azuread_app_role_assignment" "readers" {
  app_role_id         = azuread_service_principal.api.app_role_ids["Mcp.Read"]
  principal_object_id = azuread_group.twins[1].object_id
  resource_object_id  = azuread_service_principal.api.object_id
}

output "tenant_id" {
  value = data.azurerm_client_config.this.tenant_id
}

output "subnet_id" {
  value = azurerm_subnet.containers.id
}

output "login_server" {
  value = azurerm_container_registry.this.login_server
}

output "principal_id" {
  value = azurerm_user_assigned_identity.gateway.principal_id
}

output "addresses" {
  value = values(azurerm_container_group.tier)[*].ip_address
}

output "role_ids" {
  value = azuread_application.api.app_role_ids
}

output "connection_string" {
  value     = azurerm_cosmosdb_account.this.primary_mongodb_connection_string
  sensitive = true
}

output "secret_id" {
  value = azurerm_key_vault_secret.connection.id
}
