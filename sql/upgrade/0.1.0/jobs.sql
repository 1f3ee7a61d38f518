DROP FUNCTION capforecast.doctor(timestamptz);
