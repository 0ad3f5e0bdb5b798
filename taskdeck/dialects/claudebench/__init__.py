"""ClaudeBench's API: JSON-RPC over HTTP and a WebSocket, and a route for each method."""
