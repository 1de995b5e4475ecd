"""The parts of tools/kill_campaign."""
