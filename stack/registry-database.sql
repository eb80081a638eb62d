-- The registry keeps its ids here: one that forgets them makes every record unreadable.
create database registry;
