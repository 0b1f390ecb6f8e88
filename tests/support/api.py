"""Where the API is, as callers know it: written here again, so that nobody changes it unnoticed."""

PREFIX = "/api/v1/parallel-ops"
