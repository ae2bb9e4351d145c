CREATE SCHEMA hanzo_datastore;

COMMENT ON SCHEMA hanzo_datastore IS 'functions and views of extension hanzo_datastore';

GRANT USAGE ON SCHEMA hanzo_datastore TO PUBLIC;
