"""Files of strangers: they delete nothing, run nothing, eat no memory, and damaged ones are named in one line."""
