"""The operator's commands: make a centre, add stations, publish programmes, watch the fleet."""
