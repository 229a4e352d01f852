"""Laws that every right gradient obeys, and who has to obey them."""
