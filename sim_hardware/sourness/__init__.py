"""The controller's digester model against ADM1: overloads that it only watches, surges in which it caps the feed."""
