resource "azurerm_api_management_api_operation_policy" "pass_strict" {
  api_name            = "metadata"
  api_management_name = "apim"
  operation_id        = "strict"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><return-response><set-body>{"issuer": "{{public-base-url}}", "authorization_endpoint": "{{public-base-url}}/oauth/authorize", "response_types_supported": ["code"], "grant_types_supported": ["authorization_code", "refresh_token"], "token_endpoint_auth_methods_supported": ["none"], "code_challenge_methods_supported": ["S256"]}</set-body></return-response></inbound></policies>
  XML
}

resource "azurerm_api_management_api_operation_policy" "pass_other_document" {
  api_name            = "metadata"
  api_management_name = "apim"
  operation_id        = "other-document"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><return-response><set-body>{"resource": "x"}</set-body></return-response></inbound></policies>
  XML
}

resource "azurerm_api_management_api_operation_policy" "fail_plain" {
  api_name            = "metadata"
  api_management_name = "apim"
  operation_id        = "plain"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><return-response><set-body>{"issuer": "{{public-base-url}}", "authorization_endpoint": "{{public-base-url}}/oauth/authorize", "response_types_supported": ["code"], "grant_types_supported": ["authorization_code", "refresh_token"], "token_endpoint_auth_methods_supported": ["none"], "code_challenge_methods_supported": ["S256", "plain"]}</set-body></return-response></inbound></policies>
  XML
}

resource "azurerm_api_management_api_operation_policy" "fail_unsaid" {
  api_name            = "metadata"
  api_management_name = "apim"
  operation_id        = "unsaid"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><return-response><set-body>{"issuer": "{{public-base-url}}", "authorization_endpoint": "{{public-base-url}}/oauth/authorize", "response_types_supported": ["code"], "grant_types_supported": ["authorization_code", "refresh_token"], "token_endpoint_auth_methods_supported": ["none"]}</set-body></return-response></inbound></policies>
  XML
}

resource "azurerm_api_management_api_operation_policy" "fail_secret" {
  api_name            = "metadata"
  api_management_name = "apim"
  operation_id        = "secret"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><return-response><set-body>{"issuer": "{{public-base-url}}", "authorization_endpoint": "{{public-base-url}}/oauth/authorize", "response_types_supported": ["code"], "grant_types_supported": ["authorization_code", "refresh_token"], "token_endpoint_auth_methods_supported": ["none", "client_secret_post"], "code_challenge_methods_supported": ["S256"]}</set-body></return-response></inbound></policies>
  XML
}

resource "azurerm_api_management_api_operation_policy" "fail_implicit" {
  api_name            = "metadata"
  api_management_name = "apim"
  operation_id        = "implicit"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><return-response><set-body>{"issuer": "{{public-base-url}}", "authorization_endpoint": "{{public-base-url}}/oauth/authorize", "response_types_supported": ["code", "token"], "grant_types_supported": ["authorization_code", "refresh_token"], "token_endpoint_auth_methods_supported": ["none"], "code_challenge_methods_supported": ["S256"]}</set-body></return-response></inbound></policies>
  XML
}

resource "azurerm_api_management_api_operation_policy" "fail_password" {
  api_name            = "metadata"
  api_management_name = "apim"
  operation_id        = "password"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><return-response><set-body>{"issuer": "{{public-base-url}}", "authorization_endpoint": "{{public-base-url}}/oauth/authorize", "response_types_supported": ["code"], "grant_types_supported": ["password"], "token_endpoint_auth_methods_supported": ["none"], "code_challenge_methods_supported": ["S256"]}</set-body></return-response></inbound></policies>
  XML
}

resource "azurerm_api_management_api_operation_policy" "fail_iss" {
  api_name            = "metadata"
  api_management_name = "apim"
  operation_id        = "iss"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /><return-response><set-body>{"issuer": "{{public-base-url}}", "authorization_endpoint": "{{public-base-url}}/oauth/authorize", "response_types_supported": ["code"], "grant_types_supported": ["authorization_code", "refresh_token"], "token_endpoint_auth_methods_supported": ["none"], "code_challenge_methods_supported": ["S256"], "authorization_response_iss_parameter_supported": true}</set-body></return-response></inbound></policies>
  XML
}
