"""Finding people: what was typed becomes conditions on attendees, each with a rank."""
