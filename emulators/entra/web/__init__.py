"""HTTP: routes, forms, pages. Everything that decides lives one level up and knows no HTTP."""
