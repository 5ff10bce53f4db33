locals {
  # URLs that clients compare as strings: lower-case scheme and host, no trailing slash.
  _resources = { for server in keys(var.servers) : server => "${var.public_base_url}/${server}/mcp" }

  # By the path of their metadata. A closed registry is one more that people sign in to; a server cannot be called v0.1.
  _protected = merge(
    { for server, resource in local._resources : "${server}/mcp" => { id = server, resource = resource, name = "MCP server ${server}" } },
    local._registry_closed ? { "v0.1/servers" = { id = "mcp_registry", resource = "${var.public_base_url}/v0.1/servers", name = "MCP registry" } } : {},
  )

  _protected_resource = {
    for path, protected in local._protected : path => jsonencode({
      resource                 = protected.resource
      resource_name            = protected.name
      authorization_servers    = [var.oauth_facade_enabled ? var.public_base_url : "{{entra-issuer}}"]
      scopes_supported         = ["{{api-scope}}"]
      bearer_methods_supported = ["header"]
    })
  }

  # RFC 8414. No `authorization_response_iss_parameter_supported`: Entra's redirect carries no `iss`. `offline_access`
  # stands here and nowhere else (MCP, SEP-2207): clients ask for it where the authorization server lists it.
  _authorization_server = jsonencode(merge({
    issuer                                = var.public_base_url
    authorization_endpoint                = "${var.public_base_url}/oauth/authorize"
    token_endpoint                        = "${var.public_base_url}/oauth/token"
    response_types_supported              = ["code"]
    response_modes_supported              = ["query"]
    grant_types_supported                 = ["authorization_code", "refresh_token"]
    token_endpoint_auth_methods_supported = ["none"]
    code_challenge_methods_supported      = ["S256"]
    scopes_supported                      = ["{{api-scope}}", "offline_access"]
    },
    var.registration.dynamic ? { registration_endpoint = "${var.public_base_url}/oauth/register" } : {},
    var.registration.metadata_documents ? { client_id_metadata_document_supported = true } : {},
  ))

  _metadata = merge(
    {
      for path, document in local._protected_resource : "protected-resource-${local._protected[path].id}" => {
        url      = "/oauth-protected-resource/${path}"
        document = document
      }
    },
    # A root document can name one resource only, so it exists only where there is one server.
    length(var.servers) == 1 ? {
      "protected-resource" = {
        url      = "/oauth-protected-resource"
        document = local._protected_resource["${one(keys(var.servers))}/mcp"]
      }
    } : {},
    var.oauth_facade_enabled ? {
      "authorization-server" = {
        url      = "/oauth-authorization-server"
        document = local._authorization_server
      }
    } : {},
    # Anything else that a client tries: a request that matches no operation is answered before any policy, without CORS,
    # and a page in a browser takes that for a network that is down.
    { "unknown" = { url = "/*", document = null } },
  )

  _facade = merge(
    { authorize = "GET", token = "POST" },
    var.registration.dynamic ? { register = "POST" } : {},
  )

  # Exact documents before hosts: the first that fits is the answer.
  _documents = !var.registration.metadata_documents ? [] : concat(
    flatten([for name, client in var.clients : [for url in client.metadata_documents : { of = url, client = name }]]),
    flatten([for name, client in var.clients : [for host in client.metadata_hosts : { of = host, client = name }]]),
  )

  # What the façade compares: the port of a loopback URI is the client's choice (RFC 8252, section 7.3), and so is how it
  # writes this machine (section 8.3), with a slash or without where there is no path.
  _port     = "(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])" # one that can be listened on
  _loopback = "^http://(?:localhost|127\\.0\\.0\\.1)(:${local._port})?(?:/|\\z)"
  _registered = {
    for name, client in var.clients : name => {
      kind          = coalesce(client.kind, name)
      redirect_uris = [for uri in distinct([for uri in client.redirect_uris : replace(uri, "/${local._loopback}/", "http://localhost$1/")]) : replace(uri, "&", "&amp;")]
    }
  }

  _anonymous_apis = merge(
    { metadata = { path = ".well-known", methods = ["GET", "HEAD"], rate_limit = { calls = 600, period = 60 } } },
    var.oauth_facade_enabled ? { oauth = { path = "oauth", methods = ["GET", "POST"], rate_limit = { calls = 120, period = 60 } } } : {},
  )

  _anonymous_operations = merge(
    { for name, operation in local._metadata : name => { api = "metadata", method = "GET", url = operation.url, policy = name } },
    { for name, operation in local._metadata : "${name}-head" => { api = "metadata", method = "HEAD", url = operation.url, policy = name } },
    var.oauth_facade_enabled ? {
      for name, method in local._facade : name => { api = "oauth", method = method, url = "/${name}", policy = name }
    } : {},
  )

  _anonymous_policies = merge(
    {
      for name, operation in local._metadata : name => operation.document == null
      ? templatefile("${local._policies}/not-found.xml.tftpl", {})
      : templatefile("${local._policies}/metadata.xml.tftpl", { document = operation.document })
    },
    var.oauth_facade_enabled ? {
      for name in keys(local._facade) : name => templatefile("${local._policies}/oauth-${name}.xml.tftpl", {
        clients    = local._registered
        documents  = local._documents
        loopback   = local._loopback
        port       = local._port
        resources  = [for protected in values(local._protected) : protected.resource]
        scope_name = var.sign_in.scope_name
      })
    } : {},
  )
}

resource "azurerm_api_management_api" "anonymous" {
  for_each = local._anonymous_apis

  name                  = each.key
  display_name          = each.key == "metadata" ? "OAuth metadata" : "OAuth façade"
  resource_group_name   = var.resource_group_name
  api_management_name   = azurerm_api_management.this.name
  revision              = "1"
  path                  = each.value.path
  protocols             = ["https"]
  subscription_required = false

  # Goes with its service: a replaced one is empty, under the same name.
  lifecycle {
    replace_triggered_by = [azurerm_api_management.this.id]
  }
}

resource "azurerm_api_management_api_policy" "anonymous" {
  for_each = local._anonymous_apis

  api_name            = azurerm_api_management_api.anonymous[each.key].name
  resource_group_name = var.resource_group_name
  api_management_name = azurerm_api_management.this.name
  xml_content         = templatefile("${local._policies}/anonymous-api.xml.tftpl", merge(each.value, { name = each.key }))

  depends_on = [azurerm_api_management_named_value.this]

  # Goes with its service: a replaced one is empty, under the same name.
  lifecycle {
    replace_triggered_by = [azurerm_api_management.this.id]
  }
}

resource "azurerm_api_management_api_operation" "anonymous" {
  for_each = local._anonymous_operations

  operation_id        = each.key
  display_name        = "${each.value.method} ${each.value.url}"
  api_name            = azurerm_api_management_api.anonymous[each.value.api].name
  resource_group_name = var.resource_group_name
  api_management_name = azurerm_api_management.this.name
  method              = each.value.method
  url_template        = each.value.url

  # Goes with its service: a replaced one is empty, under the same name.
  lifecycle {
    replace_triggered_by = [azurerm_api_management.this.id]
  }
}

resource "azurerm_api_management_api_operation_policy" "anonymous" {
  for_each = local._anonymous_operations

  api_name            = azurerm_api_management_api_operation.anonymous[each.key].api_name
  operation_id        = azurerm_api_management_api_operation.anonymous[each.key].operation_id
  resource_group_name = var.resource_group_name
  api_management_name = azurerm_api_management.this.name
  xml_content         = local._anonymous_policies[each.value.policy]

  depends_on = [
    azurerm_api_management_named_value.this,
    azurerm_api_management_policy_fragment.this,
  ]

  # Goes with its service: a replaced one is empty, under the same name.
  lifecycle {
    replace_triggered_by = [azurerm_api_management.this.id]
  }
}
