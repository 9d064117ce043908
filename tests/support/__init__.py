"""What tests need: people, houses, servers, browsers."""
