"""The long-form documents, shipped with the package."""
