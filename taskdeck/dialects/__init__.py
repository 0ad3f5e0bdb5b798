"""APIs of other systems, spoken by this deck: each a translation to the same verbs, in a package of its own."""
