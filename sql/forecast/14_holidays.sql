-- Public holidays as rules.

-- From the national holiday acts as they stood in 2025, and compared day by day, 2015 to 2032, with the calendars
-- of the Python package holidays 0.109. Nationwide holidays, and days on which business usually rests without being
-- one (carnival in Brazil, Christmas Eve in the north): what only some states, provinces or cities keep is not here,
-- except for the parts of the United Kingdom, nor are bridge days that a government decrees. Where a day off stands
-- in for a holiday on a weekend, both are here.
CREATE FUNCTION capforecast._holiday_regions()
	RETURNS TABLE (region text, name text)
	LANGUAGE sql IMMUTABLE ROWS 37 BEGIN ATOMIC
	VALUES
		('AT', 'Austria'), ('BE', 'Belgium'), ('BG', 'Bulgaria'), ('BR', 'Brazil'), ('CA', 'Canada'), ('CY', 'Cyprus'),
		('CZ', 'Czechia'), ('DE', 'Germany'), ('DK', 'Denmark'), ('EE', 'Estonia'), ('ES', 'Spain'), ('FI', 'Finland'),
		('FR', 'France'), ('GB', 'United Kingdom: England and Wales'), ('GB-NIR', 'United Kingdom: Northern Ireland'),
		('GB-SCT', 'United Kingdom: Scotland'), ('GR', 'Greece'), ('HR', 'Croatia'), ('HU', 'Hungary'), ('IE', 'Ireland'),
		('IN', 'India'), ('IT', 'Italy'), ('JP', 'Japan'), ('LT', 'Lithuania'), ('LU', 'Luxembourg'), ('LV', 'Latvia'),
		('MT', 'Malta'), ('NL', 'Netherlands'), ('PL', 'Poland'), ('PT', 'Portugal'), ('RO', 'Romania'), ('SE', 'Sweden'),
		('SI', 'Slovenia'), ('SK', 'Slovakia'), ('US', 'United States of America');
END;
COMMENT ON FUNCTION capforecast._holiday_regions() IS 'The regions that use_holidays() knows, by ISO 3166 code.';

CREATE FUNCTION capforecast._holiday_rules()
	RETURNS TABLE (rule text, name text, regions text)
	LANGUAGE sql IMMUTABLE ROWS 200 BEGIN ATOMIC
	VALUES
		-- of many
		('01-01', 'New Year''s Day', 'AT BE BG BR CA CY CZ DE DK EE ES FI FR GB GB-NIR GB-SCT GR HR HU IE IT JP LT LU LV MT NL PL PT RO SE SI SK US'),
		('01-06', 'Epiphany', 'AT CY ES FI GR HR IT PL SE SK'),
		('easter-3', 'Maundy Thursday', 'DK'),
		('easter-2', 'Good Friday', 'BR CA DE DK EE ES FI GB GB-NIR GB-SCT IN LV MT NL PT SE SK'),
		('easter-2 from 2016', 'Good Friday', 'CZ'),
		('easter-2 from 2017', 'Good Friday', 'HU'),
		('easter', 'Easter Sunday', 'BE DK EE FI HR HU IT LT LV NL PL PT SE SI'),
		('easter+1', 'Easter Monday', 'AT BE CZ DE DK FI FR GB GB-NIR HR HU IE IT LT LU LV NL PL SE SI SK'),
		('easter+39', 'Ascension Day', 'AT BE DE DK FI FR LU NL SE'),
		('easter+49', 'Whit Sunday', 'BE DK EE FI HU LV NL PL SE SI'),
		('easter+50', 'Whit Monday', 'AT BE DE DK FR HU LU NL'),
		('easter+60', 'Corpus Christi', 'AT BR HR PL PT'),
		('orthodox easter-48', 'Clean Monday', 'CY GR'),
		('orthodox easter-2', 'Good Friday', 'BG CY GR'),
		('orthodox easter-2 from 2018', 'Good Friday', 'RO'),
		('orthodox easter-1', 'Holy Saturday', 'BG'),
		('orthodox easter', 'Easter Sunday', 'BG CY GR RO'),
		('orthodox easter+1', 'Easter Monday', 'BG CY GR RO'),
		('orthodox easter+49', 'Whit Sunday', 'RO'),
		('orthodox easter+50', 'Whit Monday', 'CY GR RO'),
		('05-01', 'Labour Day', 'AT BE BG BR CY CZ DE EE ES FI FR GR HR HU IT LT LU LV MT PL PT RO SE SI SK'),
		('08-15', 'Assumption Day', 'AT BE CY ES FR GR HR IT LT LU MT PL PT RO SI'),
		('11-01', 'All Saints'' Day', 'AT BE ES FR HR HU IT LT LU PL PT SI SK'),
		('12-08', 'Immaculate Conception', 'AT ES IT MT PT'),
		('12-24', 'Christmas Eve', 'BG CZ DK EE FI LT LV SE SK'),
		('12-24 from 2024', 'Christmas Eve', 'HU'),
		('12-24 from 2025', 'Christmas Eve', 'PL'),
		('12-25', 'Christmas Day', 'AT BE BG BR CA CY CZ DE DK EE ES FI FR GB GB-NIR GB-SCT GR HR HU IE IN IT LT LU LV MT NL PL PT RO SE SI SK US'),
		('12-26', 'Second Christmas Day', 'AT BG CY CZ DE DK EE FI GR HR HU IT LT LU LV NL PL RO SE SK'),
		('12-26', 'Boxing Day', 'CA GB GB-NIR GB-SCT'),
		('12-26', 'Saint Stephen''s Day', 'IE'),
		-- Austria, Belgium, Bulgaria
		('10-26', 'National Day', 'AT'),
		('07-21', 'National Day', 'BE'),
		('11-11', 'Armistice Day', 'BE FR'),
		('03-03', 'Liberation Day', 'BG'),
		('05-06', 'Saint George''s Day', 'BG'),
		('05-24', 'Day of Letters', 'BG'),
		('09-06', 'Unification Day', 'BG'),
		('09-22', 'Independence Day', 'BG'),
		('01-02 if mon from 2017', 'New Year''s Day (observed)', 'BG'),
		('01-03 if mon from 2017', 'New Year''s Day (observed)', 'BG'),
		('03-04 if mon from 2017', 'Liberation Day (observed)', 'BG'),
		('03-05 if mon from 2017', 'Liberation Day (observed)', 'BG'),
		('05-07 if mon from 2017', 'Saint George''s Day (observed)', 'BG'),
		('05-08 if mon from 2017', 'Saint George''s Day (observed)', 'BG'),
		('05-25 if mon from 2017', 'Day of Letters (observed)', 'BG'),
		('05-26 if mon from 2017', 'Day of Letters (observed)', 'BG'),
		('09-07 if mon from 2017', 'Unification Day (observed)', 'BG'),
		('09-08 if mon from 2017', 'Unification Day (observed)', 'BG'),
		('09-23 if mon from 2017', 'Independence Day (observed)', 'BG'),
		('09-24 if mon from 2017', 'Independence Day (observed)', 'BG'),
		('12-27 if mon,tue,wed from 2017', 'Christmas (observed)', 'BG'),
		('12-28 if mon,tue,wed from 2017', 'Christmas (observed)', 'BG'),
		-- Croatia, Cyprus, Czechia
		('05-30 from 2020', 'National Day', 'HR'),
		('06-22', 'Anti-Fascist Struggle Day', 'HR'),
		('06-25 until 2019', 'Statehood Day', 'HR'),
		('08-05', 'Victory Day', 'HR'),
		('10-08 until 2019', 'Independence Day', 'HR'),
		('11-18 from 2020', 'Remembrance Day', 'HR'),
		('03-25', 'Independence Day', 'CY GR'),
		('04-01', 'National Day', 'CY'),
		('10-01', 'Independence Day', 'CY'),
		('10-28', 'Ochi Day', 'CY GR'),
		('05-08', 'Victory Day', 'CZ FR SK'),
		('07-05', 'Saints Cyril and Methodius', 'CZ SK'),
		('07-06', 'Jan Hus Day', 'CZ'),
		('09-28', 'Statehood Day', 'CZ'),
		('10-28', 'Independence Day', 'CZ'),
		('11-17', 'Freedom and Democracy Day', 'CZ'),
		-- Denmark, Estonia, Finland, Sweden
		('easter+26 until 2023', 'Great Prayer Day', 'DK'),
		('02-24', 'Independence Day', 'EE'),
		('06-23', 'Midsummer Eve', 'EE LV'),
		('06-24', 'Midsummer Day', 'EE LT LV'),
		('08-20', 'Restoration of Independence', 'EE'),
		('3rd mon of 6+4', 'Midsummer Eve', 'FI SE'),
		('3rd mon of 6+5', 'Midsummer Day', 'FI SE'),
		('1st sun of 11-1', 'All Saints'' Day', 'FI SE'),
		('12-06', 'Independence Day', 'FI'),
		('06-06', 'National Day', 'SE'),
		('12-31', 'New Year''s Eve', 'LV SE'),
		-- France, Germany
		('07-14', 'National Day', 'FR'),
		('10-03', 'German Unity Day', 'DE'),
		-- Hungary, Ireland, Italy
		('03-15', 'National Day', 'HU'),
		('08-20', 'State Foundation Day', 'HU'),
		('10-23', 'National Day of 1956', 'HU'),
		-- the first Monday of February, or the 1st where that is a Friday
		('02-01 if mon,fri from 2023', 'Saint Brigid''s Day', 'IE'),
		('02-02 if mon from 2023', 'Saint Brigid''s Day', 'IE'),
		('02-03 if mon from 2023', 'Saint Brigid''s Day', 'IE'),
		('02-05 if mon from 2023', 'Saint Brigid''s Day', 'IE'),
		('02-06 if mon from 2023', 'Saint Brigid''s Day', 'IE'),
		('02-07 if mon from 2023', 'Saint Brigid''s Day', 'IE'),
		('03-17', 'Saint Patrick''s Day', 'GB-NIR IE'),
		('1st mon of 5', 'May Day', 'IE'),
		('1st mon of 6', 'June Holiday', 'IE'),
		('1st mon of 8', 'August Holiday', 'IE'),
		('last mon of 10', 'October Holiday', 'IE'),
		('04-25', 'Liberation Day', 'IT'),
		('06-02', 'Republic Day', 'IT'),
		('10-04 from 2026', 'Saint Francis of Assisi', 'IT'),
		-- Latvia, Lithuania, Luxembourg
		('05-04', 'Restoration of Independence', 'LV'),
		('05-05 if mon', 'Restoration of Independence (observed)', 'LV'),
		('05-06 if mon', 'Restoration of Independence (observed)', 'LV'),
		('2nd sun of 5', 'Mother''s Day', 'LV'),
		('11-18', 'Independence Day', 'LV'),
		('11-19 if mon', 'Independence Day (observed)', 'LV'),
		('11-20 if mon', 'Independence Day (observed)', 'LV'),
		('02-16', 'Restoration of the State', 'LT'),
		('03-11', 'Restoration of Independence', 'LT'),
		('1st sun of 5', 'Mother''s Day', 'LT'),
		('1st sun of 6', 'Father''s Day', 'LT'),
		('07-06', 'Statehood Day', 'LT'),
		('11-02 from 2020', 'All Souls'' Day', 'LT'),
		('05-09 from 2019', 'Europe Day', 'LU'),
		('06-23', 'National Day', 'LU'),
		-- Malta, Netherlands, Poland, Portugal
		('02-10', 'Saint Paul''s Shipwreck', 'MT'),
		('03-19', 'Saint Joseph''s Day', 'MT'),
		('03-31', 'Freedom Day', 'MT'),
		('06-07', 'Sette Giugno', 'MT'),
		('06-29', 'Saints Peter and Paul', 'MT'),
		('09-08', 'Victory Day', 'MT'),
		('09-21', 'Independence Day', 'MT'),
		('12-13', 'Republic Day', 'MT'),
		('04-26 if sat from 2014', 'King''s Day', 'NL'),
		('04-27 if mon,tue,wed,thu,fri,sat from 2014', 'King''s Day', 'NL'),
		('05-05', 'Liberation Day', 'NL'),
		('05-03', 'Constitution Day', 'PL'),
		('11-11', 'Independence Day', 'PL'),
		('04-25', 'Freedom Day', 'PT'),
		('06-10', 'Portugal Day', 'PT'),
		('10-05', 'Republic Day', 'PT'),
		('12-01', 'Restoration of Independence', 'PT'),
		-- Romania, Slovakia, Slovenia, Spain
		('01-02', 'Day after New Year''s Day', 'RO'),
		('01-06 from 2024', 'Epiphany', 'RO'),
		('01-07 from 2024', 'Saint John''s Day', 'RO'),
		('01-24 from 2017', 'Unification Day', 'RO'),
		('06-01 from 2017', 'Children''s Day', 'RO'),
		('11-30', 'Saint Andrew''s Day', 'GB-SCT RO'),
		('12-01', 'National Day', 'RO'),
		('08-29', 'National Uprising Day', 'SK'),
		('09-01 until 2023', 'Constitution Day', 'SK'),
		('09-15', 'Our Lady of Sorrows', 'SK'),
		('11-17 until 2024', 'Freedom and Democracy Day', 'SK'),
		('01-02 from 2017', 'New Year''s Day, second day', 'SI'),
		('02-08', 'Preseren Day', 'SI'),
		('04-27', 'Uprising Day', 'SI'),
		('05-02', 'Labour Day, second day', 'SI'),
		('06-25', 'Statehood Day', 'SI'),
		('10-31', 'Reformation Day', 'SI'),
		('12-26', 'Independence and Unity Day', 'SI'),
		('10-12', 'National Day', 'ES'),
		('12-06', 'Constitution Day', 'ES'),
		-- United Kingdom; days stand in for those that fall on a weekend
		('01-02 if mon', 'New Year''s Day (observed)', 'GB GB-NIR'),
		('01-03 if mon', 'New Year''s Day (observed)', 'GB GB-NIR'),
		('01-02', 'Second of January', 'GB-SCT'),
		('01-03 if mon,tue', 'New Year (observed)', 'GB-SCT'),
		('01-04 if mon,tue', 'New Year (observed)', 'GB-SCT'),
		('03-18 if mon', 'Saint Patrick''s Day (observed)', 'GB-NIR'),
		('03-19 if mon', 'Saint Patrick''s Day (observed)', 'GB-NIR'),
		('1st mon of 5 until 2019', 'Early May Bank Holiday', 'GB GB-NIR GB-SCT'),
		('1st mon of 5 from 2021', 'Early May Bank Holiday', 'GB GB-NIR GB-SCT'),
		('last mon of 5 until 2021', 'Spring Bank Holiday', 'GB GB-NIR GB-SCT'),
		('last mon of 5 from 2023', 'Spring Bank Holiday', 'GB GB-NIR GB-SCT'),
		('07-12', 'Battle of the Boyne', 'GB-NIR'),
		('07-13 if mon', 'Battle of the Boyne (observed)', 'GB-NIR'),
		('07-14 if mon', 'Battle of the Boyne (observed)', 'GB-NIR'),
		('1st mon of 8', 'Summer Bank Holiday', 'GB-SCT'),
		('last mon of 8', 'Summer Bank Holiday', 'GB GB-NIR'),
		('12-01 if mon', 'Saint Andrew''s Day (observed)', 'GB-SCT'),
		('12-02 if mon', 'Saint Andrew''s Day (observed)', 'GB-SCT'),
		('12-27 if mon,tue', 'Christmas (observed)', 'GB GB-NIR GB-SCT'),
		('12-28 if mon,tue', 'Christmas (observed)', 'GB GB-NIR GB-SCT'),
		-- United States, Canada: the day off where it falls on a weekend
		('01-02 if mon', 'New Year''s Day (observed)', 'CA US'),
		('12-31 if fri', 'New Year''s Day (observed)', 'US'),
		('3rd mon of 1', 'Martin Luther King Jr. Day', 'US'),
		('3rd mon of 2', 'Washington''s Birthday', 'US'),
		('last mon of 5', 'Memorial Day', 'US'),
		('06-19 from 2021', 'Juneteenth', 'US'),
		('06-18 if fri from 2021', 'Juneteenth (observed)', 'US'),
		('06-20 if mon from 2021', 'Juneteenth (observed)', 'US'),
		('07-04', 'Independence Day', 'US'),
		('07-03 if fri', 'Independence Day (observed)', 'US'),
		('07-05 if mon', 'Independence Day (observed)', 'US'),
		('1st mon of 9', 'Labor Day', 'CA US'),
		('2nd mon of 10', 'Columbus Day', 'US'),
		('11-11', 'Veterans Day', 'US'),
		('11-10 if fri', 'Veterans Day (observed)', 'US'),
		('11-12 if mon', 'Veterans Day (observed)', 'US'),
		('4th thu of 11', 'Thanksgiving', 'US'),
		('12-24 if fri', 'Christmas Day (observed)', 'US'),
		('12-26 if mon', 'Christmas Day (observed)', 'US'),
		('01-03 if mon', 'New Year''s Day (observed)', 'CA'),
		('12-27 if mon', 'Christmas (observed)', 'CA'),
		('last mon of 5-7', 'Victoria Day', 'CA'),
		('07-01', 'Canada Day', 'CA'),
		('07-02 if mon', 'Canada Day (observed)', 'CA'),
		('1st mon of 8', 'Civic Holiday', 'CA'),
		('09-30 from 2021', 'Truth and Reconciliation Day', 'CA'),
		('2nd mon of 10', 'Thanksgiving', 'CA'),
		('11-11', 'Remembrance Day', 'CA'),
		-- Brazil
		('easter-48', 'Carnival Monday', 'BR'),
		('easter-47', 'Carnival Tuesday', 'BR'),
		('04-21', 'Tiradentes Day', 'BR'),
		('09-07', 'Independence Day', 'BR'),
		('10-12', 'Our Lady of Aparecida', 'BR'),
		('11-02', 'All Souls'' Day', 'BR'),
		('11-15', 'Republic Day', 'BR'),
		('11-20 from 2024', 'Black Awareness Day', 'BR'),
		-- Japan: the next day that is none where it falls on a Sunday
		('01-02', 'New Year, second day', 'JP'),
		('01-03', 'New Year, third day', 'JP'),
		('2nd mon of 1', 'Coming of Age Day', 'JP'),
		('02-11', 'Foundation Day', 'JP'),
		('02-12 if mon', 'Foundation Day (observed)', 'JP'),
		('02-23 from 2020', 'Emperor''s Birthday', 'JP'),
		('02-24 if mon from 2020', 'Emperor''s Birthday (observed)', 'JP'),
		('04-29', 'Showa Day', 'JP'),
		('04-30 if mon', 'Showa Day (observed)', 'JP'),
		('05-03', 'Constitution Day', 'JP'),
		('05-04', 'Greenery Day', 'JP'),
		('05-05', 'Children''s Day', 'JP'),
		('05-06 if mon,tue,wed', 'Golden Week (observed)', 'JP'),
		('3rd mon of 7 until 2019', 'Marine Day', 'JP'),
		('3rd mon of 7 from 2022', 'Marine Day', 'JP'),
		('08-11 from 2016 until 2019', 'Mountain Day', 'JP'),
		('08-11 from 2022', 'Mountain Day', 'JP'),
		('08-12 if mon from 2016', 'Mountain Day (observed)', 'JP'),
		('3rd mon of 9', 'Respect for the Aged Day', 'JP'),
		('2nd mon of 10 until 2019', 'Sports Day', 'JP'),
		('2nd mon of 10 from 2022', 'Sports Day', 'JP'),
		('11-03', 'Culture Day', 'JP'),
		('11-04 if mon', 'Culture Day (observed)', 'JP'),
		('11-23', 'Labour Thanksgiving Day', 'JP'),
		('11-24 if mon', 'Labour Thanksgiving Day (observed)', 'JP'),
		('12-23 until 2018', 'Emperor''s Birthday', 'JP'),
		('12-24 if mon until 2018', 'Emperor''s Birthday (observed)', 'JP'),
		-- India: those that follow the sun
		('01-26', 'Republic Day', 'IN'),
		('08-15', 'Independence Day', 'IN'),
		('10-02', 'Gandhi Jayanti', 'IN');
END;
COMMENT ON FUNCTION capforecast._holiday_rules() IS
	'Public holidays by rule, and the regions that keep them, separated by spaces.';

-- India: of the festivals that follow the moon, the six that move most business; the government announces those of
-- the Islamic calendar, which can fall a day from what is calculated here (from 2027 on). Not here: Maha Shivaratri,
-- Ram Navami, Mahavir Jayanti, Buddha Purnima, Muharram, Janmashtami, Milad-un-Nabi. Japan: equinoxes as the National
-- Observatory's formula gives them for 1980 to 2099.
CREATE FUNCTION capforecast._holiday_dates()
	RETURNS TABLE (name text, regions text, days date[])
	LANGUAGE sql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
	VALUES
		('Holi', 'IN', '{2018-03-02,2019-03-21,2020-03-10,2021-03-29,2022-03-18,2023-03-08,2024-03-25,2025-03-14,2026-03-04,
			2027-03-22,2028-03-11,2029-03-01,2030-03-20,2031-03-09,2032-03-27}'::date[]),
		('Eid al-Fitr', 'IN', '{2018-06-16,2019-06-05,2020-05-25,2021-05-14,2022-05-03,2023-04-22,2024-04-11,2025-03-31,2026-03-21,
			2027-03-10,2028-02-27,2029-02-15,2030-02-05,2031-01-25,2032-01-15}'::date[]),
		('Eid al-Adha', 'IN', '{2018-08-22,2019-08-12,2020-08-01,2021-07-21,2022-07-10,2023-06-29,2024-06-17,2025-06-07,2026-05-27,
			2027-05-17,2028-05-06,2029-04-25,2030-04-14,2031-04-03,2032-03-23}'::date[]),
		('Dussehra', 'IN', '{2018-10-19,2019-10-08,2020-10-25,2021-10-15,2022-10-05,2023-10-24,2024-10-12,2025-10-02,2026-10-20,
			2027-10-09,2028-09-27,2029-10-16,2030-10-06,2031-10-25,2032-10-14}'::date[]),
		('Diwali', 'IN', '{2018-11-07,2019-10-27,2020-11-14,2021-11-04,2022-10-24,2023-11-12,2024-10-31,2025-10-20,2026-11-08,
			2027-10-29,2028-10-17,2029-11-05,2030-10-26,2031-11-14,2032-11-02}'::date[]),
		('Guru Nanak''s Birthday', 'IN', '{2018-11-23,2019-11-12,2020-11-30,2021-11-19,2022-11-08,2023-11-27,2024-11-15,2025-11-05,2026-11-24,
			2027-11-14,2028-11-02,2029-11-21,2030-11-10,2031-11-28,2032-11-17}'::date[]),
		('Vernal Equinox Day', 'JP', '{2015-03-21,2016-03-20,2017-03-20,2018-03-21,2019-03-21,2020-03-20,2021-03-20,2022-03-21,2023-03-21,
			2024-03-20,2025-03-20,2026-03-20,2027-03-21,2028-03-20,2029-03-20,2030-03-20,2031-03-21,2032-03-20,
			2033-03-20,2034-03-20,2035-03-21,2036-03-20,2037-03-20,2038-03-20,2039-03-21,2040-03-20}'::date[]),
		('Autumnal Equinox Day', 'JP', '{2015-09-23,2016-09-22,2017-09-23,2018-09-23,2019-09-23,2020-09-22,2021-09-23,2022-09-23,2023-09-23,
			2024-09-22,2025-09-23,2026-09-23,2027-09-23,2028-09-22,2029-09-23,2030-09-23,2031-09-23,2032-09-22,
			2033-09-23,2034-09-23,2035-09-23,2036-09-22,2037-09-23,2038-09-23,2039-09-23,2040-09-22}'::date[]),
		('Vernal Equinox Day (observed)', 'JP', '{2016-03-21,2027-03-22,2033-03-21}'::date[]),
		('Autumnal Equinox Day (observed)', 'JP', '{2018-09-24,2024-09-23,2029-09-24,2035-09-24}'::date[]),
		('Citizens'' Holiday', 'JP', '{2015-09-22,2026-09-22,2032-09-21,2037-09-22}'::date[]),
		('Marine Day', 'JP', '{2020-07-23,2021-07-22}'::date[]),
		('Sports Day', 'JP', '{2020-07-24,2021-07-23}'::date[]),
		('Mountain Day', 'JP', '{2020-08-10,2021-08-08}'::date[]),
		('Mountain Day (observed)', 'JP', '{2021-08-09}'::date[]),
		('Enthronement', 'JP', '{2019-04-30,2019-05-01,2019-05-02,2019-10-22}'::date[]),
		('Early May Bank Holiday', 'GB GB-NIR GB-SCT', '{2020-05-08}'::date[]),
		('Spring Bank Holiday', 'GB GB-NIR GB-SCT', '{2022-06-02}'::date[]),
		('Royal Bank Holiday', 'GB GB-NIR GB-SCT', '{2022-06-03,2022-09-19,2023-05-08}'::date[])
$$;
COMMENT ON FUNCTION capforecast._holiday_dates() IS
	'Public holidays that no rule gives: those that follow the moon or the equinox, from 2015 or 2018 on until 2032 or 2040, and days decreed once.';

CREATE FUNCTION capforecast._holiday_region(region text)
	RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	found text;
	near text;
BEGIN
	-- UK and EL are the European Union's codes
	SELECT r.region INTO found FROM capforecast._holiday_regions() r
	WHERE r.region = regexp_replace(regexp_replace(upper(_holiday_region.region), '^UK', 'GB'), '^EL$', 'GR');
	IF found IS NULL THEN
		-- the letters that two of them share, first those in place
		SELECT string_agg(format('%s (%s)', n.region, n.name), ', ' ORDER BY n.place) INTO near
		FROM (SELECT r.region, r.name, row_number() OVER (ORDER BY r.name ILIKE _holiday_region.region || '%' DESC,
					starts_with(upper(_holiday_region.region), r.region) DESC, left(r.region, 1) = upper(left(_holiday_region.region, 1)) DESC,
					substr(r.region, 2, 1) = upper(substr(_holiday_region.region, 2, 1)) DESC, r.region) AS place
			FROM capforecast._holiday_regions() r) n WHERE n.place <= 3;
		RAISE invalid_parameter_value USING
			CONSTRAINT = 'unknown_region',
			MESSAGE = format('the holidays of region "%s" are not known', region),
			DETAIL = format('Nearest: %s. All: %s.', near, (SELECT string_agg(r.region, ', ' ORDER BY r.region) FROM capforecast._holiday_regions() r)),
			HINT = 'Days of your own are rows of capforecast.known_day.';
	END IF;
	RETURN found;
END
$$;
COMMENT ON FUNCTION capforecast._holiday_region(text) IS 'The region''s code, in any case; 22023 unknown_region, with the nearest ones, where it is none.';

CREATE FUNCTION capforecast.use_holidays(region text)
	RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	code constant text := capforecast._holiday_region(use_holidays.region);
	added bigint;
BEGIN
	INSERT INTO capforecast.known_day (region, name, day, rule)
	SELECT code, r.name, NULL::date, r.rule FROM capforecast._holiday_rules() r WHERE code = ANY (string_to_array(r.regions, ' '))
	UNION ALL
	SELECT code, d.name, unnest(d.days), NULL FROM capforecast._holiday_dates() d WHERE code = ANY (string_to_array(d.regions, ' '))
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS added = ROW_COUNT;
	RETURN added;
END
$$;
COMMENT ON FUNCTION capforecast.use_holidays(text) IS
	'Put the public holidays of a region into known_day, so that forecasts know of them: all states of the European Union, GB (GB-SCT, GB-NIR), US, CA, BR, JP, IN. What is there already stays as it is, with days before and after that you have added. Returns how many rules and dates were added. Error: 22023 unknown_region.
Example: SELECT capforecast.use_holidays(''DE'');';

CREATE FUNCTION capforecast.drop_holidays(region text)
	RETURNS bigint LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	code constant text := capforecast._holiday_region(drop_holidays.region);
	dropped bigint;
BEGIN
	DELETE FROM capforecast.known_day k WHERE k.region = code;
	GET DIAGNOSTICS dropped = ROW_COUNT;
	RETURN dropped;
END
$$;
COMMENT ON FUNCTION capforecast.drop_holidays(text) IS 'Remove a region''s holidays from known_day; returns how many rules and dates. Error: 22023 unknown_region.
Example: SELECT capforecast.drop_holidays(''DE'');';
