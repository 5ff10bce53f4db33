resource "azurerm_api_management_policy_fragment" "pass_reference" {
  api_management_id = "apim"
  name              = "mcp-refuse"
  value             = <<-XML
    <fragment><set-body>@(context.RequestId.ToString())</set-body></fragment>
  XML
}

resource "azurerm_api_management_policy_fragment" "pass_reason" {
  api_management_id = "apim"
  name              = "mcp-refuse"
  value             = <<-XML
    <fragment><choose><when condition='@(context.LastError.Source.StartsWith("validate"))'><set-body>Sign in.</set-body></when></choose></fragment>
  XML
}

resource "azurerm_api_management_policy_fragment" "fail_message" {
  api_management_id = "apim"
  name              = "mcp-refuse"
  value             = <<-XML
    <fragment><set-body>@(context.LastError.Message)</set-body></fragment>
  XML
}

resource "azurerm_api_management_policy_fragment" "fail_trace" {
  api_management_id = "apim"
  name              = "mcp-refuse"
  value             = <<-XML
    <fragment><trace source="x"><message>@(context.Request.Headers.GetValueOrDefault("Authorization", ""))</message></trace></fragment>
  XML
}

resource "azurerm_api_management_api_policy" "fail_hub" {
  api_name            = "mcp-mongodb"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><base /></inbound><outbound><log-to-eventhub logger-id="x">@("call")</log-to-eventhub></outbound></policies>
  XML
}

resource "azurerm_api_management_policy_fragment" "pass_condition" {
  api_management_id = "apim"
  name              = "mcp-retry"
  value             = <<-XML
    <fragment><choose><when condition="@(context.LastError.Message.Contains(&quot;Unable to connect&quot;))"><set-body>Try again.</set-body></when></choose></fragment>
  XML
}

resource "azurerm_api_management_policy_fragment" "pass_trace" {
  api_management_id = "apim"
  name              = "mcp-remote-answer"
  value             = <<-XML
    <fragment><trace source="x"><message>@((string)context.Variables["tier"] + context.Response.StatusCode)</message></trace></fragment>
  XML
}

resource "azurerm_api_management_policy_fragment" "fail_trace_of_a_body" {
  api_management_id = "apim"
  name              = "mcp-remote-answer"
  value             = <<-XML
    <fragment><trace source="x"><message>@(context.Request.Body.As<string>(true))</message></trace></fragment>
  XML
}
