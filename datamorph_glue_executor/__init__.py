"""The one name that the wheel puts into site-packages; the application lies in its folder `app`."""
