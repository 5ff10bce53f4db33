# Copied into stage2/ by the matrix test: programs that sign in as themselves, one with a role on the API and one without.

resource "azuread_application" "daemon" {
  for_each = toset(["with-role", "without-role"])

  display_name = "matrix daemon ${each.key}"
}

resource "azuread_service_principal" "daemon" {
  for_each = azuread_application.daemon

  client_id = each.value.client_id
}

resource "azuread_application_password" "daemon" {
  for_each = azuread_application.daemon

  application_id = each.value.id
}

resource "azuread_app_role_assignment" "daemon" {
  # As modules/app-registration makes it: the module offers no role ids, because nothing else needs them.
  app_role_id         = uuidv5("url", "${var.name} MCP API/app-role/Mcp.Read")
  principal_object_id = azuread_service_principal.daemon["with-role"].object_id
  resource_object_id  = module.api_app.service_principal_object_id
}
