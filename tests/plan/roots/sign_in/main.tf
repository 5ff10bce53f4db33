# People, the API that they sign in to, and the client that they sign in with.

module "groups" {
  source = "../../../../terraform/modules/entra-groups"

  groups = { reader = { display_name = "Root readers", members = ["11111111-aaaa-4aaa-8aaa-000000000002"] } }
}

module "client" {
  source = "../../../../terraform/modules/app-registration"

  display_name  = "Root client"
  redirect_uris = ["http://localhost/callback"]
}

module "api" {
  source = "../../../../terraform/modules/app-registration"

  display_name              = "Root API"
  scopes                    = { "Mcp.Access" = { display_name = "Use", description = "Call the servers." } }
  app_roles                 = { "Mcp.Read" = { display_name = "Reader", description = "May read." } }
  pre_authorized_client_ids = { client = module.client.client_id }
  role_assignments          = { reader = { role = "Mcp.Read", principal_object_id = module.groups.object_ids.reader } }
}

output "client_id" {
  value = module.client.client_id
}

output "scope" {
  value = module.api.scopes["Mcp.Access"]
}

output "reader" {
  value = module.groups.object_ids.reader
}
