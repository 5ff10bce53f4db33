resource "azurerm_role_assignment" "this" {
  for_each = var.role_assignments

  scope                = each.value.scope
  role_definition_name = each.value.role
  principal_id         = each.value.principal_id
  principal_type       = each.value.principal_type
  description          = each.value.description

  # A fresh identity may not have reached the directory's replicas yet: do not look it up first.
  skip_service_principal_aad_check = each.value.principal_type == "ServicePrincipal" ? true : null
}
