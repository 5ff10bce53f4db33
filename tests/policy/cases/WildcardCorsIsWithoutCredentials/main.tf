resource "azurerm_api_management_api_policy" "pass_any" {
  api_name            = "a"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><cors allow-credentials="false"><allowed-origins><origin>*</origin></allowed-origins></cors></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "pass_one" {
  api_name            = "b"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><cors allow-credentials="true"><allowed-origins><origin>https://example.com</origin></allowed-origins></cors></inbound></policies>
  XML
}

resource "azurerm_api_management_api_policy" "fail_any" {
  api_name            = "c"
  api_management_name = "apim"
  resource_group_name = "rg"
  xml_content         = <<-XML
    <policies><inbound><cors allow-credentials="true"><allowed-origins><origin>*</origin></allowed-origins></cors></inbound></policies>
  XML
}
