locals {
  tenant_id = data.azurerm_client_config.current.tenant_id
  authority = "${var.entra_authority}/${local.tenant_id}"
  issuer    = "${local.authority}/v2.0"

  gateway_identity = data.azurerm_user_assigned_identity.gateway
}
