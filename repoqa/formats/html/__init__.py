"""A packed context as one page for a browser: nothing is loaded, all input is escaped."""
