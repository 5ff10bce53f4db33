resource "azurerm_api_management_api_operation_policy" "pass_entra" {
  api_name            = "oauth"
  api_management_name = "apim"
  operation_id        = "entra"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><include-fragment fragment-id="oauth-refuse" /><choose><when condition="@(true)"><return-response><set-status code="302" reason="Found" /><set-header name="Location" exists-action="override"><value>@(context.Request.OriginalUrl.Query.GetValueOrDefault("redirect_uri", ""))</value></set-header></return-response></when></choose><return-response><set-status code="302" reason="Found" /><set-header name="Location" exists-action="override"><value>@("{{entra-authority}}/oauth2/v2.0/authorize")</value></set-header></return-response></inbound></policies>
  XML
}

resource "azurerm_api_management_api_operation_policy" "pass_no_redirect" {
  api_name            = "metadata"
  api_management_name = "apim"
  operation_id        = "no-redirect"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /></inbound></policies>
  XML
}

resource "azurerm_api_management_api_operation_policy" "fail_open" {
  api_name            = "oauth"
  api_management_name = "apim"
  operation_id        = "open"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><return-response><set-status code="302" reason="Found" /><set-header name="Location" exists-action="override"><value>@(context.Request.OriginalUrl.Query.GetValueOrDefault("redirect_uri", ""))</value></set-header></return-response></inbound></policies>
  XML
}

resource "azurerm_api_management_api_operation_policy" "fail_error_before_comparison" {
  api_name            = "oauth"
  api_management_name = "apim"
  operation_id        = "error-before-comparison"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><choose><when condition="@(true)"><return-response><set-status code="302" reason="Found" /><set-header name="Location" exists-action="override"><value>@(context.Request.OriginalUrl.Query.GetValueOrDefault("redirect_uri", ""))</value></set-header></return-response></when></choose><include-fragment fragment-id="oauth-refuse" /><return-response><set-status code="302" reason="Found" /><set-header name="Location" exists-action="override"><value>@("{{entra-authority}}/oauth2/v2.0/authorize")</value></set-header></return-response></inbound></policies>
  XML
}

resource "azurerm_api_management_api_operation_policy" "fail_other_host" {
  api_name            = "oauth"
  api_management_name = "apim"
  operation_id        = "other-host"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><include-fragment fragment-id="oauth-refuse" /><return-response><set-status code="302" reason="Found" /><set-header name="Location" exists-action="override"><value>@("https://sign-in.example/authorize")</value></set-header></return-response></inbound></policies>
  XML
}

resource "azurerm_api_management_policy_fragment" "fail_fragment" {
  api_management_id = "apim"
  name              = "oauth-error"
  value             = <<-XML
    <fragment><return-response><set-status code="302" reason="Found" /><set-header name="Location" exists-action="override"><value>@(context.Request.OriginalUrl.Query.GetValueOrDefault("redirect_uri", ""))</value></set-header></return-response></fragment>
  XML
}
