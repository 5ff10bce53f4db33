locals {
  _policies = "${path.module}/policies"

  _fragment_inputs = {
    allowed_origins = var.allowed_origins
    authorization   = var.authorization
    scope_name      = var.sign_in.scope_name
  }

  # Leaves first: a fragment may include only fragments that already exist.
  _leaf_fragments = toset(["mcp-refuse", "mcp-upstream", "oauth-refuse"])
  _fragments = setunion(
    ["mcp-origin", "mcp-caller", "mcp-error"],
    anytrue([for policy in values(local._mcp_policies) : policy.tool_lists]) ? ["mcp-tools"] : [],
  )
}

resource "azurerm_api_management_policy_fragment" "leaf" {
  for_each = local._leaf_fragments

  api_management_id = azurerm_api_management.this.id
  name              = each.key
  format            = "xml"
  value             = templatefile("${local._policies}/fragment-${each.key}.xml.tftpl", local._fragment_inputs)

  # The text names these; Terraform cannot see that.
  depends_on = [azurerm_api_management_named_value.this]
}

resource "azurerm_api_management_policy_fragment" "this" {
  for_each = local._fragments

  api_management_id = azurerm_api_management.this.id
  name              = each.key
  format            = "xml"
  value             = templatefile("${local._policies}/fragment-${each.key}.xml.tftpl", local._fragment_inputs)

  depends_on = [
    azurerm_api_management_named_value.this,
    azurerm_api_management_policy_fragment.leaf,
  ]
}
