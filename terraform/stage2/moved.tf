# Version 0.2.0 had one in every environment.
moved {
  from = module.database
  to   = module.database["this"]
}

moved {
  from = module.database_endpoint
  to   = module.database_endpoint["this"]
}
