# Agents of Azure DevOps that reach what `deployer_access = "private"` closes.

# "Configure Managed DevOps Pools networking": the service's own principal joins machines to the subnet, and reads the network.
module "agents_role" {
  source   = "../modules/rbac"
  for_each = local._agents

  role_assignments = {
    agents-network-read = {
      scope          = local._network_id
      role           = "Reader"
      principal_id   = each.value.service_principal_id
      principal_type = "ServicePrincipal"
      description    = "Managed DevOps Pools reads the network of its agents."
    }
    agents-network-join = {
      scope          = local._network_id
      role           = "Network Contributor"
      principal_id   = each.value.service_principal_id
      principal_type = "ServicePrincipal"
      description    = "Managed DevOps Pools puts its agents into their subnet."
    }
  }
}

module "agents" {
  source   = "../modules/managed-devops-pool"
  for_each = local._agents

  names               = module.names.agents
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = module.names.tags
  subnet_id           = local._subnet_ids.agents
  maximum             = each.value.maximum
  machine             = each.value.machine

  organization = {
    url      = each.value.organization_url
    projects = each.value.projects
  }

  # Without the roles the service refuses the subnet.
  depends_on = [module.agents_role]
}

locals {
  _agents = var.agents == null ? {} : { this = var.agents }

  # Here and not in providers.tf: `invoke doctor` asks for what that file names, and for these with agents only.
  _agents_providers = var.agents == null ? [] : ["Microsoft.DevCenter", "Microsoft.DevOpsInfrastructure"]
}

# The range as it was when the pool was made: agents hold the subnet.
resource "terraform_data" "agents_subnet" {
  for_each = local._agents
  input    = each.value.subnet

  lifecycle {
    ignore_changes = [input]
  }
}

resource "terraform_data" "same_agents_subnet" {
  for_each = local._agents

  lifecycle {
    precondition {
      condition     = terraform_data.agents_subnet[each.key].output == each.value.subnet
      error_message = "agents.subnet cannot change: Azure refuses another range for a subnet that is in use. Take agents away and deploy stage 1 from another machine, then give them the new range."
    }
  }
}
