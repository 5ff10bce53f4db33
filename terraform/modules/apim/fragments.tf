locals {
  _policies = "${path.module}/policies"

  _fragment_inputs = {
    allowed_origins = var.allowed_origins
    authorization   = var.authorization
    clients         = var.clients
    documents       = local._documents
    scope_name      = var.sign_in.scope_name
    # Fragments do not nest ("Reuse policy configurations", limitations): those that refuse hold the refusal's own text.
    mcp_refusal = chomp(templatefile("${path.module}/policies/mcp-refusal.xml.tftpl", {}))
    mcp_accept  = chomp(templatefile("${path.module}/policies/mcp-accept.xml.tftpl", {}))
    # As MCP_REQUEST_BYTES_CEILING and front.answer_bytes are where there is a front.
    remote_bytes = 4194304
    # A session of a remote server that nobody uses for so long is forgotten here, and its client begins another.
    session_seconds = 3600
    # A token of another API is not used in its last minutes: it must not expire on its way.
    downstream_margin_seconds = 300
  }

  _fragments = setunion(
    ["mcp-origin", "mcp-caller", "mcp-error", "mcp-refuse", "mcp-upstream", "oauth-client", "oauth-refuse"],
    anytrue([for policy in values(local._mcp_policies) : policy.tool_lists]) ? ["mcp-tools"] : [],
    length(local._remotes) > 0 ? ["mcp-remote", "mcp-remote-answer"] : [],
    anytrue([for server in values(var.servers) : server.downstream != null]) ? ["mcp-on-behalf"] : [],
  )
}

resource "azurerm_api_management_policy_fragment" "this" {
  for_each = local._fragments

  api_management_id = azurerm_api_management.this.id
  name              = each.key
  format            = "xml"
  value             = templatefile("${local._policies}/fragment-${each.key}.xml.tftpl", local._fragment_inputs)

  # The text names these; Terraform cannot see that.
  depends_on = [azurerm_api_management_named_value.this]

  # As with named values: it outlives the policies that include it.
  lifecycle {
    create_before_destroy = true
  }
}
