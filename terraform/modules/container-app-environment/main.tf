resource "azurerm_container_app_environment" "this" {
  name                = var.name
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags

  # Private for good: an internal environment has an address of its subnet and no other ("Networking in Azure Container
  # Apps environment", accessibility level, 2025-06-02). "External" ingress of an app in it means the network, not the internet.
  infrastructure_subnet_id       = var.subnet_id
  internal_load_balancer_enabled = true
  public_network_access          = "Disabled"
  zone_redundancy_enabled        = var.zone_redundant

  # By diagnostic settings, without a key of the workspace in the environment.
  logs_destination = "azure-monitor"

  # With a profile it is a workload profiles environment: a /27 instead of a /23, NAT gateway, replicas of up to four cores.
  workload_profile {
    name                  = "Consumption"
    workload_profile_type = "Consumption"
  }
}
