# The MQTT broker mosquitto, open to everybody.
# packages: mosquitto
# needs: mosquitto
# tcp: 1883

printf 'listener 1883 0.0.0.0\nallow_anonymous true\npersistence false\nuser root\n' >mosquitto.conf
exec mosquitto -c mosquitto.conf
