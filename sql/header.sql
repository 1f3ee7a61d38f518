\echo Use "CREATE EXTENSION capforecast" to load this file. \quit

-- Everything below is created in schema capforecast, which the extension owns.
