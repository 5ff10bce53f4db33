# Version 0.2.0 had one in every environment.
moved {
  from = module.database
  to   = module.database["this"]
}

moved {
  from = module.database_endpoint
  to   = module.database_endpoint["this"]
}

# Up to 0.3.0 a group had one role, and the two roles were given.
moved {
  from = module.api_app.azuread_app_role_assignment.this["admin"]
  to   = module.api_app.azuread_app_role_assignment.this["Mcp.Admin/admin"]
}

moved {
  from = module.api_app.azuread_app_role_assignment.this["reader"]
  to   = module.api_app.azuread_app_role_assignment.this["Mcp.Read/reader"]
}
