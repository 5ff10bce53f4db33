resource "azurerm_private_dns_a_record" "pass_short" {
  name                = "mongodb-admin-a"
  private_dns_zone_id = "zone"
  ttl                 = 30
  records             = ["10.0.0.4"]
}

resource "azurerm_private_dns_a_record" "fail_long" {
  name                = "mongodb-admin-a"
  private_dns_zone_id = "zone"
  ttl                 = 300
  records             = ["10.0.0.4"]
}
