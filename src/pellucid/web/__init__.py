"""What people see of a study: a page with its data, served by `app` or written to a folder by `export`."""
