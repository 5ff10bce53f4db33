resource "azuread_group" "pass_security" {
  display_name     = "MCP readers"
  security_enabled = true
}

resource "azuread_group" "fail_mail" {
  display_name     = "MCP readers"
  mail_enabled     = true
  mail_nickname    = "readers"
  security_enabled = true
}

resource "azuread_group" "fail_unified" {
  display_name     = "MCP readers"
  security_enabled = true
  types            = ["Unified"]
}

resource "azuread_group" "fail_distribution" {
  display_name  = "MCP readers"
  mail_enabled  = true
  mail_nickname = "readers"
}
