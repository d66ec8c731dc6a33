"""The API in words: OpenAPI, AsyncAPI, TypeScript."""
