resource "azurerm_key_vault" "this" {
  #checkov:skip=CKV_AZURE_189: deployer_access decides, and CKV_MCP_35 holds the plan to it: private in prod, listed addresses in dev
  #checkov:skip=CKV2_AZURE_32: the endpoint is a module of its own, which CKV_MCP_40 sees in the plan; this check cannot follow modules

  name                = var.name
  resource_group_name = var.resource_group_name
  location            = var.location
  tenant_id           = var.tenant_id
  sku_name            = var.sku_name
  tags                = var.tags

  # Access is a role assignment like everywhere else; access policies would be a second, invisible list.
  rbac_authorization_enabled = true

  # Neither a mistake nor a stolen pipeline can erase the secrets before the retention has passed.
  purge_protection_enabled   = true
  soft_delete_retention_days = var.soft_delete_retention_days

  public_network_access_enabled = var.network.access != "private"

  network_acls {
    # For services that read a key or secret and have no address here; API Management is not among them any more, and
    # reads through the private endpoint.
    bypass         = "AzureServices"
    default_action = var.network.access == "public" ? "Allow" : "Deny"
    ip_rules       = var.network.access == "allow-list" ? var.network.ip_rules : []
  }
}
