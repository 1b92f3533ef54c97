"""What an audit found: its file checked, a verdict by rule, a page."""
