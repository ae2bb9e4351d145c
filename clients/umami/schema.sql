-- The tables of Umami 3.1 on PostgreSQL, as its migrations leave them: names, types, defaults, keys and indexes.
-- There are no foreign keys: Umami keeps references right itself (Prisma's relationMode "prisma").

CREATE TABLE "user" (
	user_id uuid PRIMARY KEY,
	username varchar(255) NOT NULL UNIQUE,
	password varchar(60) NOT NULL,
	role varchar(50) NOT NULL,
	logo_url varchar(2183),
	display_name varchar(255),
	created_at timestamptz(6) DEFAULT CURRENT_TIMESTAMP,
	updated_at timestamptz(6),
	deleted_at timestamptz(6)
);

CREATE TABLE team (
	team_id uuid PRIMARY KEY,
	name varchar(50) NOT NULL,
	access_code varchar(50) UNIQUE,
	logo_url varchar(2183),
	created_at timestamptz(6) DEFAULT CURRENT_TIMESTAMP,
	updated_at timestamptz(6),
	deleted_at timestamptz(6)
);

CREATE TABLE team_user (
	team_user_id uuid PRIMARY KEY,
	team_id uuid NOT NULL,
	user_id uuid NOT NULL,
	role varchar(50) NOT NULL,
	created_at timestamptz(6) DEFAULT CURRENT_TIMESTAMP,
	updated_at timestamptz(6)
);
CREATE INDEX team_user_team_id_idx ON team_user (team_id);
CREATE INDEX team_user_user_id_idx ON team_user (user_id);

CREATE TABLE website (
	website_id uuid PRIMARY KEY,
	name varchar(100) NOT NULL,
	domain varchar(500),
	reset_at timestamptz(6),
	user_id uuid,
	team_id uuid,
	created_by uuid,
	created_at timestamptz(6) DEFAULT CURRENT_TIMESTAMP,
	updated_at timestamptz(6),
	deleted_at timestamptz(6),
	replay_enabled boolean NOT NULL DEFAULT false,
	replay_config jsonb
);
CREATE INDEX website_user_id_idx ON website (user_id);
CREATE INDEX website_team_id_idx ON website (team_id);
CREATE INDEX website_created_at_idx ON website (created_at);
CREATE INDEX website_created_by_idx ON website (created_by);

CREATE TABLE session (
	session_id uuid PRIMARY KEY,
	website_id uuid NOT NULL,
	browser varchar(20),
	os varchar(20),
	device varchar(20),
	screen varchar(11),
	language varchar(35),
	country char(2),
	region varchar(20),
	city varchar(50),
	distinct_id varchar(50),
	created_at timestamptz(6) DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX session_created_at_idx ON session (created_at);
CREATE INDEX session_website_id_idx ON session (website_id);
CREATE INDEX session_website_id_created_at_idx ON session (website_id, created_at);
CREATE INDEX session_website_id_created_at_browser_idx ON session (website_id, created_at, browser);
CREATE INDEX session_website_id_created_at_os_idx ON session (website_id, created_at, os);
CREATE INDEX session_website_id_created_at_device_idx ON session (website_id, created_at, device);
CREATE INDEX session_website_id_created_at_screen_idx ON session (website_id, created_at, screen);
CREATE INDEX session_website_id_created_at_language_idx ON session (website_id, created_at, language);
CREATE INDEX session_website_id_created_at_country_idx ON session (website_id, created_at, country);
CREATE INDEX session_website_id_created_at_region_idx ON session (website_id, created_at, region);
CREATE INDEX session_website_id_created_at_city_idx ON session (website_id, created_at, city);

CREATE TABLE website_event (
	event_id uuid PRIMARY KEY,
	website_id uuid NOT NULL,
	session_id uuid NOT NULL,
	visit_id uuid NOT NULL,
	created_at timestamptz(6) DEFAULT CURRENT_TIMESTAMP,
	url_path varchar(500) NOT NULL,
	url_query varchar(500),
	utm_source varchar(255),
	utm_medium varchar(255),
	utm_campaign varchar(255),
	utm_content varchar(255),
	utm_term varchar(255),
	referrer_path varchar(500),
	referrer_query varchar(500),
	referrer_domain varchar(500),
	page_title varchar(500),
	gclid varchar(255),
	fbclid varchar(255),
	msclkid varchar(255),
	ttclid varchar(255),
	li_fat_id varchar(255),
	twclid varchar(255),
	event_type integer NOT NULL DEFAULT 1,
	event_name varchar(50),
	tag varchar(50),
	hostname varchar(100),
	lcp decimal(10,1),
	inp decimal(10,1),
	cls decimal(10,4),
	fcp decimal(10,1),
	ttfb decimal(10,1)
);
CREATE INDEX website_event_created_at_idx ON website_event (created_at);
CREATE INDEX website_event_session_id_idx ON website_event (session_id);
CREATE INDEX website_event_visit_id_idx ON website_event (visit_id);
CREATE INDEX website_event_website_id_idx ON website_event (website_id);
CREATE INDEX website_event_website_id_created_at_idx ON website_event (website_id, created_at);
CREATE INDEX website_event_website_id_created_at_url_path_idx ON website_event (website_id, created_at, url_path);
CREATE INDEX website_event_website_id_created_at_url_query_idx ON website_event (website_id, created_at, url_query);
CREATE INDEX website_event_website_id_created_at_referrer_domain_idx ON website_event (website_id, created_at, referrer_domain);
CREATE INDEX website_event_website_id_created_at_page_title_idx ON website_event (website_id, created_at, page_title);
CREATE INDEX website_event_website_id_created_at_event_name_idx ON website_event (website_id, created_at, event_name);
CREATE INDEX website_event_website_id_created_at_tag_idx ON website_event (website_id, created_at, tag);
CREATE INDEX website_event_website_id_created_at_hostname_idx ON website_event (website_id, created_at, hostname);
CREATE INDEX website_event_website_id_session_id_created_at_idx ON website_event (website_id, session_id, created_at);
CREATE INDEX website_event_website_id_visit_id_created_at_idx ON website_event (website_id, visit_id, created_at);

CREATE TABLE event_data (
	event_data_id uuid PRIMARY KEY,
	website_id uuid NOT NULL,
	website_event_id uuid NOT NULL,
	data_key varchar(500) NOT NULL,
	string_value varchar(500),
	number_value decimal(19,4),
	date_value timestamptz(6),
	data_type integer NOT NULL,
	created_at timestamptz(6) DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX event_data_created_at_idx ON event_data (created_at);
CREATE INDEX event_data_website_id_idx ON event_data (website_id);
CREATE INDEX event_data_website_event_id_idx ON event_data (website_event_id);
CREATE INDEX event_data_website_id_created_at_idx ON event_data (website_id, created_at);
CREATE INDEX event_data_website_id_created_at_data_key_idx ON event_data (website_id, created_at, data_key);

CREATE TABLE session_data (
	session_data_id uuid PRIMARY KEY,
	website_id uuid NOT NULL,
	session_id uuid NOT NULL,
	data_key varchar(500) NOT NULL,
	string_value varchar(500),
	number_value decimal(19,4),
	date_value timestamptz(6),
	data_type integer NOT NULL,
	distinct_id varchar(50),
	created_at timestamptz(6) DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX session_data_created_at_idx ON session_data (created_at);
CREATE INDEX session_data_website_id_idx ON session_data (website_id);
CREATE INDEX session_data_session_id_idx ON session_data (session_id);
CREATE INDEX session_data_session_id_created_at_idx ON session_data (session_id, created_at);
CREATE INDEX session_data_website_id_created_at_data_key_idx ON session_data (website_id, created_at, data_key);

CREATE TABLE revenue (
	revenue_id uuid PRIMARY KEY,
	website_id uuid NOT NULL,
	session_id uuid NOT NULL,
	event_id uuid NOT NULL,
	event_name varchar(50) NOT NULL,
	currency varchar(10) NOT NULL,
	revenue decimal(19,4),
	created_at timestamptz(6) DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX revenue_website_id_idx ON revenue (website_id);
CREATE INDEX revenue_session_id_idx ON revenue (session_id);
CREATE INDEX revenue_website_id_created_at_idx ON revenue (website_id, created_at);
CREATE INDEX revenue_website_id_session_id_created_at_idx ON revenue (website_id, session_id, created_at);

CREATE TABLE report (
	report_id uuid PRIMARY KEY,
	user_id uuid NOT NULL,
	website_id uuid NOT NULL,
	type varchar(50) NOT NULL,
	name varchar(200) NOT NULL,
	description varchar(500) NOT NULL,
	parameters jsonb NOT NULL,
	created_at timestamptz(6) DEFAULT CURRENT_TIMESTAMP,
	updated_at timestamptz(6)
);
CREATE INDEX report_user_id_idx ON report (user_id);
CREATE INDEX report_website_id_idx ON report (website_id);
CREATE INDEX report_type_idx ON report (type);
CREATE INDEX report_name_idx ON report (name);

CREATE TABLE segment (
	segment_id uuid PRIMARY KEY,
	website_id uuid NOT NULL,
	type varchar(50) NOT NULL,
	name varchar(200) NOT NULL,
	parameters jsonb NOT NULL,
	created_at timestamptz(6) DEFAULT CURRENT_TIMESTAMP,
	updated_at timestamptz(6)
);
CREATE INDEX segment_website_id_idx ON segment (website_id);

CREATE TABLE share (
	share_id uuid PRIMARY KEY,
	entity_id uuid NOT NULL,
	name varchar(200) NOT NULL,
	share_type integer NOT NULL,
	slug varchar(100) NOT NULL UNIQUE,
	parameters jsonb NOT NULL,
	created_at timestamptz(6) DEFAULT CURRENT_TIMESTAMP,
	updated_at timestamptz(6)
);
CREATE INDEX share_entity_id_idx ON share (entity_id);

CREATE TABLE session_replay (
	replay_id uuid PRIMARY KEY,
	website_id uuid NOT NULL,
	session_id uuid NOT NULL,
	visit_id uuid NOT NULL,
	chunk_index integer NOT NULL,
	events bytea NOT NULL,
	event_count integer NOT NULL,
	started_at timestamptz(6) NOT NULL,
	ended_at timestamptz(6) NOT NULL,
	created_at timestamptz(6) DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX session_replay_website_id_idx ON session_replay (website_id);
CREATE INDEX session_replay_session_id_idx ON session_replay (session_id);
CREATE INDEX session_replay_website_id_session_id_idx ON session_replay (website_id, session_id);
CREATE INDEX session_replay_website_id_visit_id_idx ON session_replay (website_id, visit_id);
CREATE INDEX session_replay_website_id_created_at_idx ON session_replay (website_id, created_at);
CREATE INDEX session_replay_session_id_chunk_index_idx ON session_replay (session_id, chunk_index);

CREATE TABLE session_replay_saved (
	saved_replay_id uuid PRIMARY KEY,
	name varchar(100) NOT NULL,
	website_id uuid NOT NULL,
	visit_id uuid NOT NULL,
	created_at timestamptz(6) DEFAULT CURRENT_TIMESTAMP,
	updated_at timestamptz(6),
	UNIQUE (website_id, visit_id)
);
CREATE INDEX session_replay_saved_website_id_idx ON session_replay_saved (website_id);
CREATE INDEX session_replay_saved_visit_id_idx ON session_replay_saved (visit_id);
CREATE INDEX session_replay_saved_website_id_created_at_idx ON session_replay_saved (website_id, created_at);
