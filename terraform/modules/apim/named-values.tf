locals {
  # Everything the policies need to know, by the name they use in {{double braces}}. None is a secret.
  _named_values = merge(
    {
      "public-base-url"            = var.public_base_url
      "tenant-id"                  = var.sign_in.tenant_id
      "entra-authority"            = var.sign_in.authority
      "entra-issuer"               = var.sign_in.issuer
      "entra-openid-configuration" = "${var.sign_in.issuer}/.well-known/openid-configuration"
      "api-client-id"              = var.sign_in.api_client_id
      "api-identifier"             = var.sign_in.api_identifier
      "api-scope"                  = var.sign_in.scope
      "backend-app-id"             = var.sign_in.backend_client_id
      "gateway-identity-client-id" = var.identity.client_id
    },
    { for name, client in var.clients : "client-${name}" => client.client_id },
    var.authorization == "groups" ? { for tier, id in var.sign_in.group_ids : "group-${tier}" => id } : {},
  )
}

resource "azurerm_api_management_named_value" "this" {
  for_each = local._named_values

  name                = each.key
  display_name        = each.key
  resource_group_name = var.resource_group_name
  api_management_name = azurerm_api_management.this.name
  value               = each.value

  # API Management keeps what a saved policy names: policies change first, and what they named goes afterwards. Terraform
  # does the same with all that this depends on, so nothing of that may depend on what is replaced under its own name.
  lifecycle {
    create_before_destroy = true
    # A replaced service is empty, under the same name.
    replace_triggered_by = [azurerm_api_management.this.id]
  }
}
