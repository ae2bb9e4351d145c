# What Umami 3.1 asks of PostgreSQL, kind by kind, in our own words: the same tables, joins, functions and parameters.
#
#   foreach my $read (Reads::all(website => $uuid, session => $uuid, event => $uuid, from => $time, to => $time)) { … }
#
# Each is a hash: name; sql with $1, $2, …, a number for every place as Umami's rawQuery() gives them; parameters, all texts;
# limit, the LIMIT and OFFSET that Umami appends, or nothing; keys, the columns (from 0) by which it is ordered.
package Reads;

use strict;
use warnings;

# {name} and {name::type} become $1, $2, …
sub bind_names
{
	my ($sql, $values) = @_;
	my @parameters;
	$sql =~ s/\{(\w+)((?:::\w+)?)\}/die "no parameter $1\n" if !exists $values->{$1}; push @parameters, $values->{$1}; '$' . scalar(@parameters) . $2/ge;
	return ($sql, @parameters);
}

my %format = (
	minute => ['YYYY-MM-DD HH24:MI:00', 'YYYY-MM-DD"T"HH24:MI:00"Z"'],
	hour => ['YYYY-MM-DD HH24:00:00', 'YYYY-MM-DD"T"HH24:00:00"Z"'],
	day => ['YYYY-MM-DD HH24:00:00', 'YYYY-MM-DD"T"HH24:00:00"Z"'],
	month => ['YYYY-MM-01 HH24:00:00', 'YYYY-MM-01"T"HH24:00:00"Z"'],
	year => ['YYYY-01-01 HH24:00:00', 'YYYY-01-01"T"HH24:00:00"Z"']);

# A time cut to its hour, day, …, in the browser's time zone or in that of the session, as text.
sub bucket
{
	my ($column, $unit, $zone) = @_;
	return "to_char(date_trunc('$unit', $column AT TIME ZONE '$zone'), '$format{$unit}[0]')" if defined $zone;
	return "to_char(date_trunc('$unit', $column), '$format{$unit}[1]')";
}

sub seconds { my ($from, $to) = @_; return "floor(extract(epoch FROM ($to - $from)))" }

my $with_session = 'INNER JOIN session ON website_event.session_id = session.session_id AND website_event.website_id = session.website_id';
my $period = 'website_event.website_id = {website::uuid} AND website_event.created_at BETWEEN {from} AND {to}';
my $pages = "$period AND website_event.event_type NOT IN (2, 5)";
my $other_site = "website_event.referrer_domain != regexp_replace(website_event.hostname, '^www.', '')";

# What the filter bar adds: [joins, conditions]. Those that name session need the join.
my %filter = (
	all => ['', ''],
	equal => [$with_session, 'AND session.country = ANY({countries}) AND website_event.url_path = ANY({paths})'],
	unequal => [$with_session, 'AND session.browser != ALL({browsers}) AND website_event.hostname != ALL({hosts})'],
	contains => [$with_session, 'AND website_event.url_path ILIKE {part} AND session.city NOT ILIKE {no_city}'],
	regex => [$with_session, 'AND website_event.url_path ~* {pattern} AND session.os !~* {no_os}'],
	any => [$with_session, "AND (session.device = ANY({devices}) OR website_event.utm_source = ANY({sources}) OR website_event.page_title ILIKE {title})"],
	referrer => [$with_session, "AND website_event.referrer_domain = ANY({domains}) AND ($other_site OR website_event.referrer_domain IS NULL)"],
	cohort => [qq{JOIN (SELECT DISTINCT website_event.session_id FROM website_event
			JOIN session ON session.session_id = website_event.session_id AND session.website_id = website_event.website_id
			WHERE website_event.website_id = {website} AND website_event.created_at BETWEEN {cohort_from} AND {cohort_to}
				AND website_event.event_name = ANY({cohort_events}) AND session.country != ALL({no_countries})) AS cohort
		ON cohort.session_id = website_event.session_id $with_session}, ''],
	visits => [q{JOIN (SELECT DISTINCT session_id, visit_id FROM website_event
			WHERE website_id = {website} AND created_at BETWEEN {from} AND {to} AND event_type = 1
			GROUP BY session_id, visit_id HAVING count(*) > 1) AS stayed
		ON stayed.session_id = website_event.session_id AND stayed.visit_id = website_event.visit_id}, '']);

my @ad_marks = qw(ad_id= aid= dclid= fbclid= gclid= msclkid= ttclid= twclid= utm_medium=cpc utm_medium=paid utm_source=google);
my @search = qw(baidu.com bing.com duckduckgo.com google. yandex.);
my @social = qw(facebook.com instagram.com linkedin. news.ycombinator.com reddit. t.co twitter.com x.com);
my @mail = qw(gmail. mail.yahoo. outlook. proton.me);
my @shop = qw(alibaba.com amazon. ebay.com etsy.com);
my @video = qw(twitch. youtube.);

sub alike { my ($column, @marks) = @_; return '(' . join(' OR ', map { "$column ILIKE '%$_%'" } @marks) . ')' }
sub within { my ($column, @marks) = @_; return '(' . join(' OR ', map { "position('$_' IN $column) > 0" } @marks) . ')' }

# The channel that a visit came by; $has tells how words are looked for.
sub channel
{
	my ($has, $otherwise) = @_;
	return "CASE WHEN referrer_domain = '' AND url_query = '' THEN 'direct' WHEN " . $has->('url_query', @ad_marks) . " THEN 'paidAds'
		WHEN " . $has->('utm_medium', qw(referral app link)) . " THEN 'referral' WHEN utm_medium ILIKE '%affiliate%' THEN 'affiliate'
		WHEN utm_medium ILIKE '%sms%' OR utm_source ILIKE '%sms%' THEN 'sms'
		WHEN " . $has->('referrer_domain', @search) . " OR utm_medium ILIKE '%organic%' THEN concat(prefix, 'Search')
		WHEN " . $has->('referrer_domain', @social) . " THEN concat(prefix, 'Social')
		WHEN " . $has->('referrer_domain', @mail) . " OR utm_medium ILIKE '%mail%' THEN 'email'
		WHEN " . $has->('referrer_domain', @shop) . " OR utm_medium ILIKE '%shop%' THEN concat(prefix, 'Shopping')
		WHEN " . $has->('referrer_domain', @video) . " OR utm_medium ILIKE '%video%' THEN concat(prefix, 'Video')
		WHEN referrer_domain != regexp_replace(hostname, '^www.', '') AND referrer_domain != '' THEN 'referral' ELSE '$otherwise' END";
}

my $paid = "CASE WHEN website_event.utm_medium LIKE 'p%' OR website_event.utm_medium LIKE '%ppc%' OR website_event.utm_medium LIKE '%retargeting%'
	OR website_event.utm_medium LIKE '%paid%' THEN 'paid' ELSE 'organic' END AS prefix";

# Visits with their number of events and their length, summed up: the shape of many of Umami's tables.
sub summed
{
	my ($name, $joins, $where) = @_;
	return "SELECT name, sum(t.c) AS pageviews, count(DISTINCT t.session_id) AS visitors, count(DISTINCT t.visit_id) AS visits,
			sum(CASE WHEN t.c = 1 THEN 1 ELSE 0 END) AS bounces, sum(" . seconds('t.min_time', 't.max_time') . ") AS totaltime
		FROM (SELECT $name AS name, website_event.session_id, website_event.visit_id, count(*) AS c, min(website_event.created_at) AS min_time,
				max(website_event.created_at) AS max_time
			FROM website_event $joins WHERE $where GROUP BY name, website_event.session_id, website_event.visit_id) AS t
		WHERE name != '' GROUP BY name ORDER BY visitors DESC, visits DESC";
}

# The text of a property's value.
my $value = "CASE WHEN data_type = 2 THEN replace(string_value, '.0000', '') WHEN data_type = 4 THEN " . bucket('date_value', 'hour') . ' ELSE string_value END';
my $of_event = 'JOIN website_event ON website_event.event_id = event_data.website_event_id AND website_event.website_id = {website::uuid}
	AND website_event.created_at BETWEEN {from} AND {to}';
my $data_period = 'event_data.website_id = {website::uuid} AND event_data.created_at BETWEEN {from} AND {to}';
my $sold = 'revenue.website_id = {website::uuid} AND revenue.created_at BETWEEN {from} AND {to} AND upper(revenue.currency) = {currency}';
my $sale_event = 'JOIN (SELECT * FROM website_event WHERE website_id = {website::uuid} AND created_at BETWEEN {from} AND {to} AND event_type = 2) AS website_event
	ON website_event.website_id = revenue.website_id AND website_event.session_id = revenue.session_id AND website_event.event_id = revenue.event_id';
my $session_columns = 'session.session_id, session.website_id, website_event.hostname, session.browser, session.os, session.device, session.screen, session.language,
	session.country, session.region, session.city';
my $session_list = "SELECT $session_columns, min(website_event.created_at) AS first_at, max(website_event.created_at) AS last_at,
		count(DISTINCT website_event.visit_id) AS visits, sum(CASE WHEN website_event.event_type = 1 THEN 1 ELSE 0 END) AS views,
		sum(CASE WHEN website_event.event_type = 2 THEN 1 ELSE 0 END) AS events
	FROM website_event %s JOIN session ON session.session_id = website_event.session_id AND session.website_id = website_event.website_id %s
	WHERE $period %s GROUP BY $session_columns ORDER BY max(website_event.created_at) DESC";

# [name, filters, sql with %joins and %where, limit, keys]
sub kinds
{
	my @kinds;
	my $add = sub { my ($name, $filters, $sql, $limit, @keys) = @_; push @kinds, [$name, $filters, $sql, $limit, \@keys]; return };

	my $visits = "SELECT website_event.session_id, website_event.visit_id, count(*) AS c, min(website_event.created_at) AS min_time,
		max(website_event.created_at) AS max_time FROM website_event %joins WHERE $pages %where GROUP BY 1, 2";
	$add->('stats', 'all equal unequal contains regex any referrer cohort visits', "SELECT cast(coalesce(sum(t.c), 0) AS bigint) AS pageviews,
		count(DISTINCT t.session_id) AS visitors, count(DISTINCT t.visit_id) AS visits, coalesce(sum(CASE WHEN t.c = 1 THEN 1 ELSE 0 END), 0) AS bounces,
		cast(coalesce(sum(" . seconds('t.min_time', 't.max_time') . "), 0) AS bigint) AS totaltime FROM ($visits) AS t");
	$add->('event_stats', 'all equal cohort', "SELECT cast(coalesce(sum(t.c), 0) AS bigint) AS events, count(DISTINCT t.session_id) AS visitors,
		count(DISTINCT t.visit_id) AS visits, count(DISTINCT t.event_name) AS names FROM (SELECT website_event.session_id, website_event.visit_id,
		website_event.event_name, count(*) AS c FROM website_event %joins WHERE $period AND website_event.event_type = 2 %where GROUP BY 1, 2, 3) AS t");
	foreach my $case (['hour', 'America/New_York'], ['day', 'Asia/Kolkata'], ['day'], ['month', 'Europe/Berlin'], ['year'], ['minute'])
	{
		my ($unit, $zone) = @$case;
		my $when = bucket('website_event.created_at', $unit, $zone);
		my $filters = $unit eq 'day' && $zone ? 'all equal contains any cohort visits' : 'all';
		$add->("pageviews_$unit" . ($zone ? '_zone' : ''), $filters,
			"SELECT $when AS x, count(*) AS y FROM website_event %joins WHERE $pages %where GROUP BY 1 ORDER BY 1", undef, 0);
		$add->("sessions_$unit" . ($zone ? '_zone' : ''), $filters,
			"SELECT $when AS x, count(DISTINCT website_event.session_id) AS y FROM website_event %joins WHERE $pages %where GROUP BY 1 ORDER BY 1", undef, 0);
	}
	$add->('event_series', 'all any', "SELECT event_name AS x, " . bucket('website_event.created_at', 'day', 'America/New_York') . " AS t, count(*) AS y
		FROM website_event %joins WHERE $period AND website_event.event_type = 2 %where AND event_name IN (SELECT event_name FROM website_event
			WHERE website_id = {website::uuid} AND created_at BETWEEN {from} AND {to} AND event_type = 2 GROUP BY event_name ORDER BY count(*) DESC LIMIT 50)
		GROUP BY 1, 2 ORDER BY 2", undef, 1);
	$add->('weekly', 'all equal visits', "SELECT concat(extract(dow FROM (website_event.created_at AT TIME ZONE 'America/New_York')), ':',
		to_char((website_event.created_at AT TIME ZONE 'America/New_York'), 'HH24')) AS time, count(DISTINCT website_event.session_id) AS value
		FROM website_event %joins WHERE $pages %where GROUP BY time ORDER BY 1", undef, 0);

	foreach my $column (qw(url_path url_query page_title tag hostname utm_source utm_campaign referrer_domain))
	{
		my $own = $column eq 'referrer_domain' ? "AND $other_site AND website_event.referrer_domain != ''" : '';
		$add->("metric_$column", $column eq 'url_path' ? 'all equal contains regex any cohort visits' : 'all', "SELECT $column AS x,
			count(DISTINCT website_event.session_id) AS y FROM website_event %joins WHERE $pages AND $column != '' $own %where GROUP BY 1 ORDER BY 2 DESC",
			'LIMIT 500 OFFSET 0', 1);
		$add->("expanded_$column", $column eq 'url_path' ? 'all equal any' : 'all', summed($column, '%joins', "$pages $own %where"), 'LIMIT 10 OFFSET 5', 2, 3);
	}
	foreach my $order ('ASC', 'DESC')
	{
		my $name = $order eq 'ASC' ? 'entry' : 'exit';
		$add->("metric_$name", 'all equal', "SELECT x.url_path AS x, count(DISTINCT website_event.session_id) AS y FROM website_event %joins
			JOIN (SELECT DISTINCT ON (visit_id) visit_id, url_path FROM website_event WHERE $pages ORDER BY visit_id, created_at $order) AS x
			ON x.visit_id = website_event.visit_id WHERE $pages AND x.url_path != '' %where GROUP BY 1 ORDER BY 2 DESC", 'LIMIT 500 OFFSET 0', 1);
		my $aggregate = $order eq 'ASC' ? 'min' : 'max';
		$add->("expanded_$name", 'all equal', summed('url_path', "%joins JOIN (SELECT visit_id, $aggregate(created_at) AS target FROM website_event
			WHERE $pages GROUP BY visit_id) AS x ON x.visit_id = website_event.visit_id AND x.target = website_event.created_at", "$pages %where"),
			'LIMIT 500 OFFSET 0', 2, 3);
	}
	$add->('expanded_domain', 'all', summed("CASE WHEN " . alike('referrer_domain', 'google.') . " THEN 'google.com' WHEN "
			. alike('referrer_domain', 'twitter.', 't.co', 'x.com') . " THEN 'twitter.com' ELSE referrer_domain END", '%joins',
		"$pages AND $other_site AND website_event.referrer_domain != '' %where"), 'LIMIT 500 OFFSET 0', 2, 3);
	foreach my $column (qw(event_name tag))
	{
		$add->("event_metric_$column", 'all equal', "SELECT $column AS x, count(*) AS y FROM website_event %joins
			WHERE $period AND website_event.event_type = ANY({event_types}) %where GROUP BY 1 ORDER BY 2 DESC", 'LIMIT 500 OFFSET 0', 1);
		$add->("event_expanded_$column", 'all', summed($column, '%joins', "$period AND website_event.event_type = ANY({event_types}) %where"),
			'LIMIT 500 OFFSET 0', 2, 3);
	}
	foreach my $column (qw(browser os device screen country distinct_id))
	{
		$add->("session_$column", $column eq 'country' ? 'joined contains cohort' : 'joined', "SELECT $column AS x, count(DISTINCT website_event.session_id) AS y
			FROM website_event %joins WHERE $pages AND $column != '' %where GROUP BY 1 ORDER BY 2 DESC", 'LIMIT 500 OFFSET 0', 1);
		$add->("session_expanded_$column", 'joined', summed($column, '%joins', "$pages %where"), 'LIMIT 500 OFFSET 0', 2, 3);
	}
	$add->('session_language', 'joined', "SELECT lower(left(language, 2)) AS x, count(DISTINCT website_event.session_id) AS y
		FROM website_event %joins WHERE $pages AND lower(left(language, 2)) != '' %where GROUP BY 1 ORDER BY 2 DESC", 'LIMIT 500 OFFSET 0', 1);
	foreach my $column (qw(city region))
	{
		$add->("session_$column", 'joined', "SELECT $column AS x, count(DISTINCT website_event.session_id) AS y, country
			FROM website_event %joins WHERE $pages AND $column != '' %where GROUP BY 1, 3 ORDER BY 2 DESC", 'LIMIT 500 OFFSET 0', 1);
	}

	my $columns = 'website_event.referrer_domain, website_event.url_query, website_event.utm_medium, website_event.utm_source, website_event.session_id,
		website_event.hostname';
	$add->('channels', 'all equal visits', "WITH prefix AS (SELECT $paid, $columns FROM website_event %joins WHERE $pages %where),
		channels AS (SELECT " . channel(\&alike, '') . " AS x, count(DISTINCT session_id) AS y FROM prefix GROUP BY 1 ORDER BY y DESC)
		SELECT x, sum(y) AS y FROM channels WHERE x != '' GROUP BY x ORDER BY y DESC", undef, 1);
	$add->('channels_expanded', 'all cohort', "WITH prefix AS (SELECT $paid, $columns, website_event.visit_id, count(*) AS c, min(website_event.created_at) AS min_time,
			max(website_event.created_at) AS max_time FROM website_event %joins WHERE $pages %where GROUP BY prefix, $columns, website_event.visit_id),
		channels AS (SELECT " . channel(\&within, '') . " AS name, session_id, visit_id, c, min_time, max_time FROM prefix)
		SELECT name, sum(c) AS pageviews, count(DISTINCT session_id) AS visitors, count(DISTINCT visit_id) AS visits,
			sum(CASE WHEN c = 1 THEN 1 ELSE 0 END) AS bounces, sum(" . seconds('min_time', 'max_time') . ") AS totaltime
		FROM channels WHERE name != '' GROUP BY name ORDER BY visitors DESC, visits DESC", undef, 2, 3);
	$add->('values', 'joined', "SELECT url_path AS value, count(*) AS count FROM website_event %joins WHERE $period AND url_path ILIKE {part} GROUP BY 1 ORDER BY 2 DESC",
		'LIMIT 10', 1);
	$add->('values_domain', 'joined', "SELECT referrer_domain AS value, count(*) AS count FROM website_event %joins WHERE $period
		AND (referrer_domain ILIKE {title} OR referrer_domain ILIKE {domain_part}) AND $other_site AND website_event.referrer_domain != '' GROUP BY 1 ORDER BY 2 DESC",
		'LIMIT 10', 1);
	$add->('active', 'all', 'SELECT count(DISTINCT session_id) AS visitors FROM website_event WHERE website_id = {website::uuid} AND created_at >= {recent}');
	$add->('date_range', 'all', 'SELECT min(created_at) AS first, max(created_at) AS last FROM website_event WHERE website_id = {website::uuid} AND created_at >= {epoch}');
	$add->('realtime', 'all', "SELECT website_event.session_id, website_event.event_name, website_event.created_at, session.browser, session.os, session.device,
			session.country, website_event.url_path, website_event.referrer_domain, website_event.hostname
		FROM website_event %joins INNER JOIN session ON session.session_id = website_event.session_id AND session.website_id = website_event.website_id
		WHERE website_event.website_id = {website::uuid} AND website_event.created_at >= {recent} ORDER BY website_event.created_at DESC", 'LIMIT 100', 2);

	my $has_data = 'event_id IN (SELECT website_event_id FROM event_data WHERE website_id = {website::uuid} AND created_at BETWEEN {from} AND {to}) AS has_data';
	my $event_list = "SELECT website_event.event_id, website_event.website_id, website_event.session_id, website_event.created_at, website_event.hostname,
			website_event.url_path, website_event.url_query, website_event.referrer_path, website_event.referrer_query, website_event.referrer_domain,
			session.country, city, device, os, browser, page_title, website_event.event_type, website_event.event_name, $has_data
		FROM website_event JOIN session ON session.session_id = website_event.session_id AND session.website_id = website_event.website_id
		WHERE $period AND ((event_name ILIKE {title} AND event_type = 2) OR (url_path ILIKE {part} AND event_type = 1)) ORDER BY website_event.created_at DESC";
	$add->('events_search', 'all', $event_list, 'LIMIT 20 OFFSET 40', 3);
	$add->('events', 'all', $event_list =~ s/AND \(\(event_name .*\)\) ORDER/ORDER/r, 'LIMIT 20 OFFSET 0', 3);
	$add->('events_count', 'all', "SELECT count(*) AS num FROM ($event_list) AS t");
	$add->('sessions', 'all', sprintf($session_list, '', '', ''), 'LIMIT 20 OFFSET 0', 12);
	$add->('sessions_search', 'all', sprintf($session_list, '', '', 'AND (distinct_id ILIKE {customer} OR city ILIKE {customer} OR browser ILIKE {browser_part}
		OR os ILIKE {browser_part} OR device ILIKE {browser_part}) AND session.country = ANY({countries})'), 'LIMIT 20 OFFSET 20', 12);
	$add->('sessions_count', 'all', 'SELECT count(*) AS num FROM (' . sprintf($session_list, '', '', '') . ') AS t');
	$add->('session_stats', 'all', "SELECT count(*) AS pageviews, count(DISTINCT website_event.session_id) AS visitors, count(DISTINCT website_event.visit_id) AS visits,
			count(DISTINCT session.country) AS countries, sum(CASE WHEN website_event.event_type = 2 THEN 1 ELSE 0 END) AS events
		FROM website_event JOIN session ON website_event.session_id = session.session_id AND website_event.website_id = session.website_id WHERE $period");
	my $one = 'session.distinct_id, session.website_id, session.browser, session.os, session.device, session.screen, session.language, session.country, session.region,
		session.city';
	$add->('session', 'all', 'SELECT id, ' . ($one =~ s/session\.//gr) . ', min(min_time) AS first_at, max(max_time) AS last_at, count(DISTINCT visit_id) AS visits,
			sum(views) AS views, sum(events) AS events, sum(' . seconds('min_time', 'max_time') . ") AS totaltime
		FROM (SELECT session.session_id AS id, $one, website_event.visit_id, min(website_event.created_at) AS min_time, max(website_event.created_at) AS max_time,
				sum(CASE WHEN website_event.event_type = 1 THEN 1 ELSE 0 END) AS views, sum(CASE WHEN website_event.event_type = 2 THEN 1 ELSE 0 END) AS events
			FROM session JOIN website_event ON website_event.session_id = session.session_id
			WHERE session.website_id = {website::uuid} AND session.session_id = {session::uuid} GROUP BY session.session_id, $one, visit_id) AS t
		GROUP BY id, " . ($one =~ s/session\.//gr));
	$add->('session_activity', 'all', "SELECT created_at, url_path, url_query, referrer_domain, event_id, event_type, event_name, visit_id, hostname, $has_data
		FROM website_event WHERE website_id = {website::uuid} AND session_id = {session::uuid} AND created_at BETWEEN {from} AND {to} ORDER BY created_at DESC",
		'LIMIT 500', 0);
	$add->('session_data', 'all', "SELECT website_id, session_id, data_key, data_type, replace(string_value, '.0000', '') AS string_value, number_value, date_value, created_at
		FROM session_data WHERE website_id = {website::uuid} AND session_id = {session::uuid} ORDER BY data_key ASC", undef, 2);
	$add->('session_properties', 'all cohort', "SELECT data_key, count(DISTINCT session_data.session_id) AS total FROM website_event %joins
		JOIN session_data ON session_data.session_id = website_event.session_id AND session_data.website_id = website_event.website_id
		WHERE $period %where GROUP BY 1 ORDER BY 2 DESC", 'LIMIT 500', 1);
	$add->('session_values', 'all equal', "SELECT $value AS value, count(DISTINCT session_data.session_id) AS total FROM website_event %joins
		JOIN session_data ON session_data.session_id = website_event.session_id AND session_data.website_id = website_event.website_id
		WHERE $period AND session_data.data_key = {session_key} %where GROUP BY value ORDER BY 2 DESC", 'LIMIT 100', 1);

	$add->('event_properties', 'all equal', "SELECT website_event.event_name, event_data.data_key, count(*) AS total FROM event_data $of_event %joins WHERE $data_period %where
		GROUP BY website_event.event_name, event_data.data_key ORDER BY 3 DESC", 'LIMIT 500', 2);
	$add->('event_fields', 'all cohort', "SELECT data_key, data_type, $value AS value, count(*) AS total FROM event_data $of_event %joins WHERE $data_period %where
		GROUP BY data_key, data_type, value ORDER BY 2 DESC", 'LIMIT 100', 1);
	$add->('event_values', 'all any', "SELECT $value AS value, count(*) AS total FROM event_data $of_event %joins WHERE $data_period AND event_data.data_key = {event_key} %where
		GROUP BY value ORDER BY 2 DESC", 'LIMIT 100', 1);
	$add->('event_data_stats', 'all equal', "SELECT count(DISTINCT t.website_event_id) AS events, count(DISTINCT t.data_key) AS properties, sum(t.total) AS records
		FROM (SELECT website_event_id, data_key, count(*) AS total FROM event_data $of_event %joins WHERE $data_period %where GROUP BY website_event_id, data_key) AS t");
	$add->('event_data_events', 'all', "SELECT website_event.event_name, event_data.data_key, event_data.data_type, event_data.string_value, count(*) AS total FROM event_data
		INNER JOIN website_event ON website_event.event_id = event_data.website_event_id %joins WHERE $data_period AND website_event.event_name = ANY({cohort_events}) %where
		GROUP BY website_event.event_name, event_data.data_key, event_data.data_type, event_data.string_value ORDER BY 1 ASC, 2 ASC, 3 ASC, 5 DESC", undef, 0, 1, 2, 4);
	my $row = 'event_data.website_id, event_data.website_event_id, website_event.event_name, event_data.data_key, event_data.string_value, event_data.number_value,
		event_data.date_value, event_data.data_type, event_data.created_at';
	$add->('event_data_one', 'all', "SELECT $row FROM event_data JOIN website_event ON website_event.event_id = event_data.website_event_id
		AND website_event.website_id = {website::uuid} WHERE event_data.website_id = {website::uuid} AND event_data.website_event_id = {event::uuid}");
	$add->('event_data_page', 'all', "WITH page AS (SELECT website_event.event_id FROM website_event JOIN event_data ON event_data.website_event_id = website_event.event_id
			AND $data_period WHERE $period GROUP BY website_event.event_id ORDER BY max(website_event.created_at) DESC LIMIT 20 OFFSET 20)
		SELECT $row FROM event_data $of_event JOIN page ON page.event_id = event_data.website_event_id WHERE $data_period ORDER BY event_data.created_at DESC", undef, 8);

	$add->('performance', 'all equal', "SELECT " . join(', ', map { "percentile_cont(0.75) WITHIN GROUP (ORDER BY $_) AS $_" } qw(lcp inp cls fcp ttfb))
			. ", count(*) AS count FROM website_event %joins WHERE $period AND website_event.event_type = 5 %where");
	my $percentiles = join(', ', map { "percentile_cont(0.$_) WITHIN GROUP (ORDER BY lcp) AS p$_" } qw(50 75 95));
	$add->('performance_series', 'all', 'SELECT ' . bucket('created_at', 'day', 'America/New_York') . " AS t, $percentiles FROM website_event
		WHERE $period AND website_event.event_type = 5 GROUP BY t ORDER BY t", undef, 0);
	$add->('performance_by_path', 'all', "SELECT url_path AS name, $percentiles, count(*) AS count FROM website_event %joins WHERE $period AND website_event.event_type = 5 %where
		GROUP BY url_path ORDER BY p75 DESC", 'LIMIT 20', 2);
	$add->('performance_by_country', 'joined', "SELECT country AS name, $percentiles, count(*) AS count FROM website_event %joins
		WHERE $period AND website_event.event_type = 5 %where GROUP BY country ORDER BY p75 DESC", undef, 2);
	$add->('utm', 'all equal', "SELECT website_event.utm_campaign AS utm, count(*) AS views FROM website_event %joins WHERE $period AND coalesce(website_event.utm_campaign, '') != ''
		AND website_event.event_type = ANY({page_types}) %where GROUP BY 1 ORDER BY 2 DESC", 'LIMIT 50', 1);
	foreach my $fields ('url_path, page_title', 'country, browser, url_path')
	{
		my $n = 5 + (() = $fields =~ /,/g);
		$add->('breakdown_' . ($fields =~ s/\W+/_/gr), $fields =~ /country/ ? 'joined' : 'all contains', "SELECT sum(t.c) AS views, count(DISTINCT t.session_id) AS visitors,
				count(DISTINCT t.visit_id) AS visits, sum(CASE WHEN t.c = 1 THEN 1 ELSE 0 END) AS bounces, sum(" . seconds('t.min_time', 't.max_time') . ") AS totaltime, $fields
			FROM (SELECT $fields, website_event.session_id, website_event.visit_id, count(*) AS c, min(website_event.created_at) AS min_time,
				max(website_event.created_at) AS max_time FROM website_event %joins WHERE $period AND website_event.event_type = ANY({page_types}) %where
				GROUP BY $fields, website_event.session_id, website_event.visit_id) AS t
			GROUP BY $fields ORDER BY 2 DESC, 1 DESC", 'LIMIT 500', 1, 0);
	}
	$add->('goal', 'all equal', "SELECT count(DISTINCT website_event.session_id) AS num, (SELECT count(DISTINCT website_event.session_id) FROM website_event %joins
			WHERE $period %where) AS total FROM website_event %joins WHERE $period AND url_path = {path} AND website_event.event_type = ANY({page_types}) %where");
	$add->('goal_like', 'all', "SELECT count(DISTINCT website_event.session_id) AS num, (SELECT count(DISTINCT website_event.session_id) FROM website_event WHERE $period)
		AS total FROM website_event WHERE $period AND url_path LIKE {path_like} AND website_event.event_type = ANY({page_types})");
	$add->('funnel', 'all equal', "WITH level1 AS (SELECT DISTINCT website_event.session_id, website_event.created_at FROM website_event %joins WHERE $period AND url_path = {path} %where),
		level2 AS (SELECT DISTINCT we.session_id, we.created_at FROM level1 AS l JOIN website_event AS we ON l.session_id = we.session_id
			WHERE we.website_id = {website::uuid} AND we.created_at BETWEEN l.created_at AND l.created_at + interval '60 minute' AND we.url_path LIKE {path_like}
			AND we.created_at <= {to}),
		level3 AS (SELECT DISTINCT we.session_id, we.created_at FROM level2 AS l JOIN website_event AS we ON l.session_id = we.session_id
			WHERE we.website_id = {website::uuid} AND we.created_at BETWEEN l.created_at AND l.created_at + interval '60 minute' AND we.event_name = {event_name}
			AND we.created_at <= {to} AND EXISTS (SELECT 1 FROM event_data AS d WHERE d.website_event_id = we.event_id AND d.website_id = {website::uuid}
				AND d.created_at BETWEEN {from} AND {to} AND d.data_key = {event_key}
				AND CASE WHEN d.data_type = 2 THEN replace(d.string_value, '.0000', '') ELSE d.string_value END ILIKE {plan}))
		SELECT 1 AS level, count(DISTINCT (session_id)) AS count FROM level1 UNION SELECT 2, count(DISTINCT (session_id)) FROM level2
		UNION SELECT 3, count(DISTINCT (session_id)) FROM level3 ORDER BY level", undef, 0);
	my $steps = 5;
	my $e = sub { my ($format) = @_; return join(', ', map { $format =~ s/%d/$_/gr } 1 .. $steps) };
	$add->('journey', 'all equal', "WITH events AS (SELECT DISTINCT website_event.visit_id, website_event.referrer_path,
			coalesce(nullif(website_event.event_name, ''), website_event.url_path) AS event,
			row_number() OVER (PARTITION BY visit_id ORDER BY website_event.created_at) AS event_number FROM website_event %joins WHERE $period %where),
		sequences AS (SELECT " . $e->('s.e%d') . ', count(*) AS count FROM (SELECT visit_id, ' . $e->('max(CASE WHEN event_number = %d THEN event ELSE NULL END) AS e%d')
			. ' FROM events GROUP BY visit_id) AS s GROUP BY ' . $e->('s.e%d') . ') SELECT * FROM sequences WHERE 1 = 1 AND e1 = {path} ORDER BY count DESC', 'LIMIT 100', 5);
	my $day = bucket('website_event.created_at', 'day', 'America/New_York');
	$add->('retention', 'all equal cohort', "WITH cohort_items AS (SELECT min($day) AS cohort_date, website_event.session_id FROM website_event %joins WHERE $period %where
			GROUP BY website_event.session_id),
		activities AS (SELECT DISTINCT website_event.session_id, ($day)::date - cohort_items.cohort_date::date AS day_number
			FROM website_event JOIN cohort_items ON website_event.session_id = cohort_items.session_id WHERE $period),
		sizes AS (SELECT cohort_date, count(*) AS visitors FROM cohort_items GROUP BY 1 ORDER BY 1),
		days AS (SELECT c.cohort_date, a.day_number, count(*) AS visitors FROM activities AS a JOIN cohort_items AS c ON a.session_id = c.session_id GROUP BY 1, 2)
		SELECT c.cohort_date AS date, c.day_number AS day, s.visitors, c.visitors AS returned, c.visitors::float * 100 / s.visitors AS percentage
		FROM days AS c JOIN sizes AS s ON c.cohort_date = s.cohort_date WHERE c.day_number <= 31 ORDER BY 1, 2", undef, 0, 1);
	my $touched = "WITH events AS (SELECT DISTINCT website_event.session_id, max(website_event.created_at) AS max_dt FROM website_event %joins
		WHERE $period AND website_event.event_name = {event_name} %where GROUP BY 1),";
	my $touch = 'SELECT e.session_id, %s(we.created_at) AS created_at FROM events AS e JOIN website_event AS we ON we.session_id = e.session_id
		WHERE we.website_id = {website::uuid} AND we.created_at BETWEEN {from} AND {to} %s GROUP BY e.session_id';
	my %model = (first => sprintf($touch, 'min', ''), last => sprintf($touch, 'max', 'AND we.created_at < e.max_dt'));
	my $touching = 'FROM model AS m JOIN website_event AS we ON we.created_at = m.created_at AND we.session_id = m.session_id %s
		WHERE we.website_id = {website::uuid} AND we.created_at BETWEEN {from} AND {to}';
	foreach my $model (sort keys %model)
	{
		$add->("attribution_referrer_$model", 'all equal', "$touched model AS ($model{$model}) SELECT coalesce(we.referrer_domain, '') AS name,
			count(DISTINCT we.session_id) AS value " . sprintf($touching, 'JOIN session AS s ON s.session_id = m.session_id')
				. " AND we.referrer_domain != regexp_replace(we.hostname, '^www.', '') AND we.referrer_domain != '' GROUP BY 1 ORDER BY 2 DESC", 'LIMIT 20', 1);
		$add->("attribution_ads_$model", 'all', "$touched model AS ($model{$model}), results AS (SELECT CASE WHEN coalesce(gclid, '') != '' THEN 'Google Ads'
			WHEN coalesce(fbclid, '') != '' THEN 'Facebook / Meta' WHEN coalesce(msclkid, '') != '' THEN 'Microsoft Ads' WHEN coalesce(ttclid, '') != '' THEN 'TikTok Ads'
			WHEN coalesce(li_fat_id, '') != '' THEN 'LinkedIn Ads' WHEN coalesce(twclid, '') != '' THEN 'Twitter Ads (X)' ELSE '' END AS name,
			count(DISTINCT we.session_id) AS value " . sprintf($touching, '') . ' GROUP BY 1 ORDER BY 2 DESC LIMIT 20) SELECT * FROM results WHERE name != \'\'', undef, 1);
		$add->("attribution_utm_$model", 'all', "$touched model AS ($model{$model}) SELECT coalesce(we.utm_source, '') AS name, count(DISTINCT we.session_id) AS value "
				. sprintf($touching, '') . " AND we.utm_source != '' GROUP BY 1 ORDER BY 2 DESC", 'LIMIT 20', 1);
	}
	$add->('attribution_total', 'all equal', "SELECT count(*) AS pageviews, count(DISTINCT website_event.session_id) AS visitors, count(DISTINCT website_event.visit_id) AS visits
		FROM website_event %joins WHERE $period AND website_event.event_name = {event_name} %where");

	$add->('revenue_series', 'all', 'SELECT revenue.event_name AS x, ' . bucket('revenue.created_at', 'day', 'America/New_York') . " AS t, sum(revenue.revenue) AS y,
		count(revenue.event_id) AS count FROM revenue WHERE $sold GROUP BY x, t ORDER BY t", undef, 1);
	$add->('revenue_series_joined', 'equal cohort', 'SELECT revenue.event_name AS x, ' . bucket('revenue.created_at', 'month', 'America/New_York') . " AS t, sum(revenue.revenue) AS y,
		count(revenue.event_id) AS count FROM revenue $sale_event %joins WHERE $sold %where GROUP BY x, t ORDER BY t", undef, 1);
	$add->('revenue_stats', 'all', "SELECT sum(revenue.revenue) AS sum, count(DISTINCT revenue.event_id) AS count, count(DISTINCT revenue.session_id) AS unique_count,
		(SELECT count(DISTINCT session_id) FROM website_event WHERE website_id = {website::uuid} AND created_at BETWEEN {from} AND {to}) AS total_sessions
		FROM revenue WHERE $sold");
	$add->('revenue_regions', 'all', "SELECT session.country, session.region AS name, sum(revenue.revenue) AS value FROM revenue
		JOIN session ON session.website_id = revenue.website_id AND session.session_id = revenue.session_id WHERE $sold
		GROUP BY session.country, session.region ORDER BY value DESC", undef, 2);
	my $bought = "WITH events AS (SELECT revenue.website_id, revenue.session_id, sum(revenue.revenue) AS value FROM revenue WHERE $sold GROUP BY revenue.website_id, revenue.session_id),
		first_seen AS (SELECT e.website_id, e.session_id, e.value, we.min_date AS created_at FROM events AS e JOIN (SELECT session_id, min(created_at) AS min_date FROM website_event
			WHERE website_id = {website::uuid} AND created_at BETWEEN {from} AND {to} GROUP BY session_id) AS we ON we.session_id = e.session_id)";
	my $first_event = 'JOIN (SELECT website_id, session_id, referrer_domain, url_query, utm_medium, utm_source, hostname, created_at FROM website_event
		WHERE website_id = {website::uuid} AND created_at BETWEEN {from} AND {to}) AS website_event ON website_event.website_id = r.website_id
		AND website_event.session_id = r.session_id AND website_event.created_at = r.created_at';
	$add->('revenue_referrers', 'all', "$bought SELECT website_event.referrer_domain AS name, sum(r.value) AS value FROM first_seen AS r $first_event
		GROUP BY website_event.referrer_domain ORDER BY value DESC", undef, 1);
	$add->('revenue_channels', 'all', "$bought, prefixed AS (SELECT $paid, website_event.referrer_domain, website_event.url_query, website_event.utm_medium, website_event.utm_source,
			website_event.hostname, r.value FROM first_seen AS r $first_event),
		channels AS (SELECT " . channel(\&alike, 'Unknown') . ' AS name, value FROM prefixed) SELECT name, sum(value) AS value FROM channels GROUP BY name ORDER BY value DESC', undef, 1);
	$add->('revenue_sessions', 'all', sprintf($session_list, '', 'JOIN (SELECT DISTINCT session_id FROM revenue WHERE website_id = {website::uuid}
		AND revenue.created_at BETWEEN {from} AND {to} AND upper(currency) = {currency}) AS buyer ON buyer.session_id = website_event.session_id', ''), 'LIMIT 20 OFFSET 0', 12);
	return @kinds;
}

sub all
{
	my (%values) = @_;
	%values = (
		countries => '{DE,"FR"}', paths => '{/,/pricing,/checkout}', browsers => '{chrome,safari}', hosts => '{www.site0.example}', part => '%BLOG%', no_city => '%city 1%',
		pattern => '^/(docs|shop)', no_os => 'win|linux', devices => '{mobile}', sources => '{google}', title => '%page 1%', domains => '{google.com,site0.example,t.co}',
		domain_part => '%OO%', no_countries => '{US}', cohort_events => '{purchase,"add to cart"}', event_types => '{2}', page_types => '{1}', customer => '%customer-1%',
		browser_part => '%fox%', session_key => 'tier', event_key => 'plan', event_name => 'purchase', path => '/', path_like => '/blog%', plan => '%PR%', currency => 'USD',
		recent => '2026-10-31T12:00:00.000Z', epoch => '2000-01-01T00:00:00.000Z', cohort_from => $values{from}, cohort_to => $values{to}, %values);
	my @reads;
	foreach my $kind (kinds())
	{
		my ($name, $filters, $sql, $limit, $keys) = @$kind;
		foreach my $filter (split(/ /, $filters))
		{
			my ($joins, $where) = $filter eq 'joined' ? ($with_session, '') : @{ $filter{$filter} };
			my $filtered = $sql =~ s/%joins\b/$joins/gr =~ s/%where\b/$where/gr;
			my ($text, @parameters) = bind_names($filtered, \%values);
			push @reads, { name => $filter =~ /^(all|joined)$/ ? $name : "$name, $filter", sql => $text, parameters => \@parameters, limit => $limit, keys => $keys };
		}
	}
	return @reads;
}

1;
