# A gateway with servers elsewhere: one that wants a credential of the vault, and one that wants none.

resource "azurerm_key_vault" "this" {
  name                = "keyvault-served"
  location            = "uksouth"
  resource_group_name = "rg-gateway"
  tenant_id           = "00000000-0000-0000-0000-000000000009"
  sku_name            = "standard"

  rbac_authorization_enabled = true
}

resource "azurerm_key_vault_secret" "elsewhere" {
  name         = "elsewhere-key"
  value        = "what the vendor gave"
  key_vault_id = azurerm_key_vault.this.id
}

resource "azurerm_role_assignment" "gateway" {
  scope                = "${azurerm_key_vault.this.id}/secrets/${azurerm_key_vault_secret.elsewhere.name}"
  role_definition_name = "Key Vault Secrets User"
  principal_id         = module.apim.system_identity_principal_id
}

module "apim" {
  source = "../modules/apim"

  name                = "apim-served"
  location            = "uksouth"
  resource_group_name = "rg-gateway"
  sku_name            = "Developer_1"
  public_base_url     = "https://apim-served.azure-api.net"
  publisher           = { name = "Platform team", email = "platform@example.com" }
  network             = { subnet_id = azurerm_subnet.gateway.id }
  identity            = { id = azurerm_user_assigned_identity.gateway.id, client_id = azurerm_user_assigned_identity.gateway.client_id }

  sign_in = local.sign_in

  clients = { desktop = { client_id = "desktop-client-id", redirect_uris = ["http://localhost/callback"] } }

  secrets       = { elsewhere-key = azurerm_key_vault_secret.elsewhere.versionless_id }
  secrets_ready = [azurerm_role_assignment.gateway.id]

  servers = {
    elsewhere = {
      timeout    = 20
      rate_limit = { calls = 40, period = 60 }
      remote     = { url = "https://mcp.example.com/v1/mcp/", credential = { scheme = "Bearer", secret = "elsewhere-key" } }
      tiers = {
        admin  = { role = "Mcp.Admin" }
        reader = { role = "Mcp.Read", tools = { allow = ["find", "list-*"] } }
      }
    }
    keyed = {
      remote = { url = "https://keyed.example.com:8443", credential = { header = "X-Api-Key", secret = "elsewhere-key" } }
      tiers  = { admin = { role = "Mcp.Admin" } }
    }
    open = {
      remote = { url = "https://open.example.com/mcp" }
      tiers  = { admin = { role = "Mcp.Admin" } }
    }
  }
}
