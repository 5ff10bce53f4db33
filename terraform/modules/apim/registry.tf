# The MCP registry API, v0.1 (modelcontextprotocol/registry, docs/reference/api/openapi.yaml, 2025-12-01): clients find the
# servers there. It is rendered from `servers`, so it can name no other.

locals {
  _registry        = var.registry.access == "off" ? {} : { this = {} }
  _registry_closed = var.registry.access == "signed-in"

  # Names in a registry are reverse DNS: mcp.example.com gives com.example.mcp/<server>. An address has no such name.
  _gateway_host = regex("^https?://([^:/]+)", var.public_base_url)[0]
  _registry_namespace = coalesce(
    var.registry.namespace,
    can(regex("^[0-9.]+$", local._gateway_host)) ? "localhost" : join(".", reverse(split(".", local._gateway_host))),
  )

  # What means something to a policy, an expression or XML is written as JSON's own \uXXXX: no text of a description can
  # end a string, begin an expression (`@(`) or name a value ({{...}}). jsonencode does the same with < > and &.
  _registry_escapes = { "\\" = "005c", "{" = "007b", "}" = "007d", "(" = "0028", ")" = "0029", "@" = "0040", "\"" = "0022", "'" = "0027" }
  _registry_texts = {
    for name, server in var.servers : name => {
      for kind, text in {
        title       = server.listing.title
        description = coalesce(server.listing.description, "MCP server ${name}")
        } : kind => join("", [
          for character in regexall("(?s).", text) :
          contains(keys(local._registry_escapes), character) ? "\\u${local._registry_escapes[character]}" : character
      ]) if text != null
    }
  }

  # No `$schema`: releases of VS Code up to 2025 take one version of it only (modelcontextprotocol/registry#783), and it is
  # optional. `sign-in` is what publishers may add: the document that says where people sign in (RFC 9728).
  _registry_documents = {
    for name, server in var.servers : name => replace(jsonencode({
      server = merge(local._registry_texts[name], {
        name    = "${local._registry_namespace}/${name}"
        version = server.listing.version
        remotes = [{ type = "streamable-http", url = local._resources[name] }]
        _meta = {
          "io.modelcontextprotocol.registry/publisher-provided" = {
            sign-in = {
              type              = "oauth2"
              resource_metadata = "${var.public_base_url}/.well-known/oauth-protected-resource/${name}/mcp"
            }
          }
        }
      })
      _meta = { "io.modelcontextprotocol.registry/official" = { status = "active", isLatest = true } }
    }), "\\\\u", "\\u")
  }

  _registry_policy = templatefile("${local._policies}/registry-api.xml.tftpl", {
    closed = local._registry_closed
    servers = [
      for name, server in var.servers : {
        name    = "${local._registry_namespace}/${name}"
        version = server.listing.version
        # A string of C#, in an attribute.
        document = replace(replace(replace(local._registry_documents[name], "\\", "\\\\"), "\"", "\\\""), "\"", "&quot;")
        # Those who may call it see it.
        seen_by = join(" || ", [for tier in local._mcp_policies[name].tiers : tier.holds])
      }
    ]
  })

  # One operation for everything below: whether API Management reads %2F in a name as a slash before it matches a template
  # is not documented (Microsoft Q&A 2281087 says that it does), and a wildcard fits either way.
  _registry_operations = length(local._registry) == 0 ? {} : merge([
    for name, url in { servers = "/servers", server = "/servers/*", other = "/*" } : {
      for method in ["GET", "HEAD"] : "${name}-${lower(method)}" => { method = method, url = url }
    }
  ]...)
}

resource "azurerm_api_management_api" "registry" {
  for_each = local._registry

  # The name says which it is: policies hold by it that a closed one validates its callers.
  name                  = local._registry_closed ? "registry-signed-in" : "registry"
  display_name          = "MCP registry"
  resource_group_name   = var.resource_group_name
  api_management_name   = azurerm_api_management.this.name
  revision              = "1"
  path                  = "v0.1"
  protocols             = ["https"]
  subscription_required = false

  # Goes with its service: a replaced one is empty, under the same name.
  lifecycle {
    replace_triggered_by = [azurerm_api_management.this.id]
  }
}

resource "azurerm_api_management_api_policy" "registry" {
  for_each = local._registry

  api_name            = azurerm_api_management_api.registry[each.key].name
  resource_group_name = var.resource_group_name
  api_management_name = azurerm_api_management.this.name
  xml_content         = local._registry_policy

  depends_on = [
    azurerm_api_management_named_value.this,
    azurerm_api_management_policy_fragment.this,
  ]

  lifecycle {
    # "API Management limits": 256 KiB for a policy document in the tiers that join a network.
    precondition {
      condition     = length(local._registry_policy) <= 250000
      error_message = "The MCP registry of ${length(var.servers)} servers is a policy of more than 250,000 characters, and API Management takes 256 KiB: switch it off (mcp_registry.access), or shorten titles and descriptions."
    }
    # Goes with its service: a replaced one is empty, under the same name.
    replace_triggered_by = [azurerm_api_management.this.id]
  }
}

resource "azurerm_api_management_api_operation" "registry" {
  for_each = local._registry_operations

  operation_id        = each.key
  display_name        = "${each.value.method} ${each.value.url}"
  api_name            = azurerm_api_management_api.registry["this"].name
  resource_group_name = var.resource_group_name
  api_management_name = azurerm_api_management.this.name
  method              = each.value.method
  url_template        = each.value.url

  # Goes with its service: a replaced one is empty, under the same name.
  lifecycle {
    replace_triggered_by = [azurerm_api_management.this.id]
  }
}
