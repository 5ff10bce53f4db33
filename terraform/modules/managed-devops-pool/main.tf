# The pool belongs to a project of a dev center in Azure, and is an agent pool of the organisation in Azure DevOps.
resource "azurerm_dev_center" "this" {
  name                = var.names.dev_center
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = var.tags
}

resource "azurerm_dev_center_project" "this" {
  name                = var.names.project
  resource_group_name = var.resource_group_name
  location            = var.location
  dev_center_id       = azurerm_dev_center.this.id
  tags                = var.tags
}

resource "azurerm_managed_devops_pool" "this" {
  name                  = var.names.pool
  resource_group_name   = var.resource_group_name
  location              = var.location
  dev_center_project_id = azurerm_dev_center_project.this.id
  maximum_concurrency   = var.maximum
  tags                  = var.tags

  azure_devops_organization {
    organization {
      url         = var.organization.url
      projects    = length(var.organization.projects) == 0 ? null : sort(var.organization.projects)
      parallelism = var.maximum
    }

    # Whoever may administer the project may administer the pool: no list of people to keep here.
    permission {
      kind = "Inherit"
    }
  }

  # A new machine for each job: nothing of one deployment is there for the next.
  stateless_agent {}

  virtual_machine_scale_set_fabric {
    sku_name  = var.machine.sku_name
    subnet_id = var.subnet_id

    image {
      well_known_image_name = var.machine.image
    }
  }
}
